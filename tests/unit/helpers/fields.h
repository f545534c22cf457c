/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Compares what a decision says with what a case expects, field by field. A test lists the fields of the
 * struct, all of them and in their order:
 *
 *     #define STEP_FIELDS(field) field(spawn) field(more) field(retire)
 *     DEFINE_ASSERT_FIELDS(PoolStep, STEP_FIELDS)
 *
 * which defines assert_PoolStep(name of the case, got, expected). A field that the list does not have is an
 * error of the compiler's.
 */

#include <stddef.h>
#include <stdint.h>

/* Fails with each field that differs. */
void assert_fields(const char *name, const char *const *fields, const uintmax_t *got,
                   const uintmax_t *expected, size_t n);

#define FIELD_COPY_(field) s->field,
#define FIELD_NAME_(field) #field,
#define FIELD_GOT_(field) (uintmax_t) got->field,
#define FIELD_EXPECTED_(field) (uintmax_t) expected->field,

#define DEFINE_ASSERT_FIELDS(type, LIST)                                                                    \
        _Pragma("GCC diagnostic push")                                                                      \
        _Pragma("GCC diagnostic error \"-Wmissing-field-initializers\"")                                    \
        static inline __attribute__((unused)) type list_has_every_field_of_##type(const type *s)            \
        {                                                                                                   \
                return (type){ LIST(FIELD_COPY_) };                                                         \
        }                                                                                                   \
        _Pragma("GCC diagnostic pop")                                                                       \
        static void assert_##type(const char *name, const type *got, const type *expected)                  \
        {                                                                                                   \
                static const char *const fields[] = { LIST(FIELD_NAME_) };                                  \
                                                                                                            \
                assert_fields(name, fields, (uintmax_t[]){ LIST(FIELD_GOT_) },                              \
                              (uintmax_t[]){ LIST(FIELD_EXPECTED_) }, sizeof fields / sizeof *fields);      \
        }

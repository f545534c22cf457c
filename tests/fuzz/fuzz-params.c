/* SPDX-License-Identifier: MIT */

/*
 * The list of parameters against a plain one that does the same: set, replaced, put first and removed, in
 * the order that the input says. Strings that were given before stay what they were.
 */

#include "base/params.h"

#include "input.h"

#define MODEL_MAX 256
#define NAME_SIZE 4

typedef struct Model {
        struct Pair {
                char name[NAME_SIZE + 1];
                uint8_t value;
        } pairs[MODEL_MAX];
        size_t n;
} Model;

static size_t model_find(const Model *m, const char *name)
{
        size_t i = 0;

        while (i < m->n && !streq(m->pairs[i].name, name))
                i++;
        return i;
}

static void model_remove(Model *m, const char *name)
{
        size_t i = model_find(m, name);

        if (i == m->n)
                return;
        memmove(&m->pairs[i], &m->pairs[i + 1], (m->n - i - 1) * sizeof m->pairs[0]);
        m->n--;
}

static void model_set(Model *m, const char *name, uint8_t value)
{
        size_t i = model_find(m, name);

        memcpy(m->pairs[i].name, name, NAME_SIZE + 1);
        m->pairs[i].value = value;
        m->n = MAX(m->n, i + 1);
}

static void model_set_first(Model *m, const char *name, uint8_t value)
{
        size_t i = model_find(m, name);

        if (i < m->n) {
                value = m->pairs[i].value;
                model_remove(m, name);
        }
        memmove(&m->pairs[1], &m->pairs[0], m->n * sizeof m->pairs[0]);
        memcpy(m->pairs[0].name, name, NAME_SIZE + 1);
        m->pairs[0].value = value;
        m->n++;
}

static void compare(const Params *params, const Model *m)
{
        CHECK(params_count(params) == m->n);
        for (size_t i = 0; i < m->n; i++) {
                const Param *p = params_at(params, i);
                size_t size;

                CHECK(streq(p->name, m->pairs[i].name) && p->name_size == strlen(p->name));
                CHECK(p->value_size == 1 && (uint8_t) p->value[0] == m->pairs[i].value && p->value[1] == 0);
                CHECK(params_get(params, p->name, &size) == p->value && size == 1);
        }
}

static void act(Params *params, Model *m, Input *in)
{
        uint8_t what = input_byte(in), value = input_byte(in);
        char name[NAME_SIZE + 1] = {};
        size_t n;

        input_bytes(in, name, what / 4 % NAME_SIZE + 1);
        n = strlen(name);
        switch (what % 4) {
        case 0:
        case 1:
                CHECK(params_set(params, name, n, (const char *) &value, 1) == 0);
                model_set(m, name, value);
                break;
        case 2:
                CHECK(params_set_first(params, name, n, (const char *) &value, 1) == 0);
                model_set_first(m, name, value);
                break;
        default:
                params_unset(params, name);
                model_remove(m, name);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(params_freep) Params *params = NULL;
        Input in = { data, size };
        static Model model;

        model.n = 0;
        CHECK(params_new(&params) == 0);
        for (size_t i = 0; i < MODEL_MAX && in.left > 0; i++) {
                const Param *kept = params_count(params) > 0 ? params_at(params, 0) : NULL;
                const char *value = kept ? kept->value : NULL;
                char before = value ? *value : 0;

                act(params, &model, &in);
                CHECK(!value || *value == before);
                compare(params, &model);
        }
        params_clear(params);
        CHECK(params_count(params) == 0);
        return 0;
}

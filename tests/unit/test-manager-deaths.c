/* SPDX-License-Identifier: MIT */

/* What follows from deaths, by tables: when one came, and what becomes of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/decide/deaths.h"

#define S USEC_PER_SEC
#define BEGIN (1000 * S)

/* Deaths at a time, and the count that is taken then if it is due. */
typedef struct Obituary {
        const char *name;
        usec_t at;
        size_t deaths;
        size_t written; /* of these */
        size_t taken;   /* before them */
} Obituary;

static const Obituary obituaries[] = {
        { "the first few", 0, 3, 3, 0 },
        { "and no more in this period", 5 * S, 10, 2, 0 },
        { "nor in the next", 10 * S, 4, 0, 8 },
        { "one line a period", 19 * S, 1, 0, 0 },
        { "at its end", 20 * S, 0, 0, 5 },
        { "a quiet period forgets", 30 * S, 6, 5, 0 },
        { "also the one that was counted", 40 * S, 0, 0, 1 },
        { "which is no quiet one", 49 * S, 1, 0, 0 },
        { "one more line", 51 * S, 0, 0, 1 },
        { "much later", 500 * S, 2, 2, 0 },
        { "single ones are never counted", 511 * S, 5, 5, 0 },
        { "single ones are never counted", 522 * S, 5, 5, 0 },
};

static void test_obituaries(void **state)
{
        Obituaries o = {};

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(obituaries); i++) {
                const Obituary *c = &obituaries[i];
                usec_t due = obituaries_due(&o), now = BEGIN + c->at;
                size_t taken = due > 0 && now >= due ? obituaries_take(&o, now) : 0, written = 0;

                for (size_t k = 0; k < c->deaths; k++)
                        written += obituaries_note(&o, now);
                if (taken != c->taken || written != c->written)
                        fail_msg("%s: taken %zu, written %zu", c->name, taken, written);
        }
}

#define RATE 8

/* Deaths at a time, then how many of those wanted may be spawned. */
typedef struct Replacement {
        const char *name;
        usec_t at;
        size_t deaths, wanted, spawned;
} Replacement;

static const Replacement replacements[] = {
        { "growth is not limited", 0, 0, 100, 100 },
        { "nor are single deaths", 2 * S, 1, 1, 1 },
        { "nor growth after them", 2 * S, 6, 50, 50 },
        { "many at once: as many as go in a second", 10 * S, 20, 20, RATE },
        { "and no more", 10 * S + S / 2, 0, 12, 0 },
        { "those die too, the rest goes on", 11 * S, RATE, 12 + RATE, RATE },
        { "no second of them is skipped", 11 * S + S / 2, 1, 13, 0 },
        { "fewer die, the storm lasts", 12 * S, RATE / 2, 13, RATE },
        { "half as many are enough", 13 * S, 1, 6, 6 },
        { "the rest of the second's share", 13 * S + 1, 0, 6, 2 },
        { "it is over", 14 * S, 0, 30, 30 },
        { "begins anew", 20 * S, 30, 30, RATE },
        { "and is over when nobody died", 22 * S, 0, 22, 22 },
};

static void test_replacements(void **state)
{
        Respawn r = {};

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(replacements); i++) {
                const Replacement *c = &replacements[i];
                size_t spawned;
                usec_t again;

                for (size_t k = 0; k < c->deaths; k++)
                        respawn_note(&r, BEGIN + c->at, RATE);
                spawned = respawn_take(&r, BEGIN + c->at, RATE, c->wanted, &again);
                if (spawned != c->spawned)
                        fail_msg("%s: %zu", c->name, spawned);
                assert_true(again > BEGIN + c->at && again <= BEGIN + c->at + S);
        }
}

/* When a storm begins and when it is over, also for a rate that has no half. */
static void test_bounds_of_a_storm(void **state)
{
        static const struct {
                size_t rate, first, second; /* deaths in the first second, and in the next one; 0 for no look
                                               at it */
                bool storm, lasts;
        } cases[] = {
                { 3, 2, 0, false, false }, { 3, 3, 0, true, true },   { 3, 3, 1, true, false },
                { 3, 3, 2, true, true },   { 8, 7, 0, false, false }, { 8, 8, 3, true, false },
                { 8, 8, 4, true, true },   { 1, 1, 0, true, true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                size_t rate = cases[i].rate;
                Respawn r = {};
                usec_t again;

                for (size_t k = 0; k < cases[i].first; k++)
                        respawn_note(&r, BEGIN, rate);
                if ((respawn_take(&r, BEGIN, rate, 100, &again) == rate) != cases[i].storm)
                        fail_msg("case %zu: the first second", i);

                /* Each second is judged by the one before it. */
                for (size_t k = 0; k < cases[i].second; k++)
                        respawn_note(&r, BEGIN + S, rate);
                if (cases[i].second == 0)
                        continue;
                if ((respawn_take(&r, BEGIN + 2 * S, rate, 100, &again) == rate) != cases[i].lasts)
                        fail_msg("case %zu: the third second", i);
        }
}

/* Whatever dies at once: in a long storm, no more than the rate come in a second. */
static void test_pace(void **state)
{
        Respawn r = {};
        size_t spawned = 0, alive = 100;

        (void) state;
        for (usec_t now = BEGIN; now < BEGIN + 100 * S; now += S / 50) {
                usec_t again;
                size_t n;

                for (; alive > 0; alive--)
                        respawn_note(&r, now, RATE);
                n = respawn_take(&r, now, RATE, 100 - alive, &again);
                spawned += n;
                alive += n;
        }
        assert_true(spawned >= 99 * RATE && spawned <= 101 * RATE);
}

typedef struct Crash {
        const char *name;
        usec_t at;
        bool reached;
} Crash;

static const Crash three_in_ten[] = {
        { "the first", 0, false },        { "the second", 1 * S, false },  { "too late", 11 * S, false },
        { "two of them", 12 * S, false }, { "three", 21 * S, true }, /* 11, 12, 21: just so, as in PHP-FPM */
        { "and again", 22 * S, true },    { "long after", 60 * S, false },
};

static void test_crashes(void **state)
{
        static Crashes c, again;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(three_in_ten); i++)
                if (crashes_note(&c, BEGIN + three_in_ten[i].at, 3, 10 * S) != three_in_ten[i].reached)
                        fail_msg("%s", three_in_ten[i].name);

        assert_false(crashes_note(&c, BEGIN + 61 * S, 3, 10 * S));
        crashes_reset(&c);
        assert_false(crashes_note(&c, BEGIN + 62 * S, 3, 10 * S));
        assert_false(crashes_note(&c, BEGIN + 62 * S, 3, 10 * S));
        assert_true(crashes_note(&c, BEGIN + 62 * S, 3, 10 * S));

        /* A reset forgets also what is within the interval. */
        for (size_t i = 0; i < 2; i++) {
                assert_false(crashes_note(&again, BEGIN, 3, 10 * S));
                assert_false(crashes_note(&again, BEGIN, 3, 10 * S));
                crashes_reset(&again);
        }

        assert_false(crashes_note(&c, BEGIN + 62 * S, 0, 10 * S));
        assert_true(crashes_note(&c, BEGIN + 90 * S, 1, S));
}

/* The greatest threshold fills the ring, and goes round it. */
static void test_ring(void **state)
{
        static Crashes c;

        (void) state;
        for (size_t i = 1; i < CONFIG_EMERGENCY_MAX; i++)
                assert_false(crashes_note(&c, BEGIN + i, CONFIG_EMERGENCY_MAX, S));
        for (size_t i = 0; i < 3 * CONFIG_EMERGENCY_MAX; i++)
                assert_true(crashes_note(&c, BEGIN + CONFIG_EMERGENCY_MAX + i, CONFIG_EMERGENCY_MAX, S));
        assert_false(crashes_note(&c, BEGIN + 10 * S, CONFIG_EMERGENCY_MAX, S));
        for (size_t i = 0; i < 2 * CONFIG_EMERGENCY_MAX; i++)
                assert_false(crashes_note(&c, BEGIN + 10 * S, CONFIG_EMERGENCY_MAX + 1, S));
}

static void test_pauses(void **state)
{
        static const unsigned pauses[] = { 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 }; /* ms */

        (void) state;
        for (unsigned n = 0; n < ELEMENTSOF(pauses); n++)
                assert_int_equal(respawn_pause(n + 1), pauses[n] * USEC_PER_MSEC);
        assert_int_equal(respawn_pause(1000), 10 * S);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_obituaries),        cmocka_unit_test(test_replacements),
                cmocka_unit_test(test_bounds_of_a_storm), cmocka_unit_test(test_pace),
                cmocka_unit_test(test_crashes),           cmocka_unit_test(test_ring),
                cmocka_unit_test(test_pauses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

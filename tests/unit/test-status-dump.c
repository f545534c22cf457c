/* SPDX-License-Identifier: MIT */

/* The status page: what a query asks for, and what each format makes of values and of hostile strings. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/util.h"
#include "helpers/text.h"
#include "status/dump.h"

#define START (UINT64_C(1700000000) * USEC_PER_SEC)

static const PoolStatus pool = {
        .pool = "www",
        .process_manager = "dynamic",
        .start_time = START + 1,
        .start_since = 21 * USEC_PER_SEC + 999999,
        .accepted_conn = UINT64_MAX,
        .slow_requests = 7,
        .state = "running",
        .php_version = "8.2.36",
        .recycled_max_memory = 3,
};

static const WorkerStatus worker = {
        .pid = 17,
        .state = "Idle",
        .start_time = START,
        .request_duration = 1500,
        .request_uri = "/page?a=1",
        .last_request_cpu = 1205,
        .generation = 2,
};

/* A page of the pool with as many workers, all of them this one; the caller frees it. */
static char *dump_of(const PoolStatus *p, DumpFormat format, bool full, size_t n_workers,
                     const WorkerStatus *w)
{
        Dump d = { .format = format, .full = full };
        char *text = NULL;
        size_t size;

        d.f = open_memstream(&text, &size);
        assert_non_null(d.f);
        dump_begin(&d, p);
        for (size_t i = 0; i < n_workers; i++)
                dump_worker(&d, w);
        dump_end(&d);
        assert_int_equal(fclose(d.f), 0);
        assert_int_equal(strlen(text), size);
        return text;
}

static char *dump(DumpFormat format, bool full, size_t n_workers, const WorkerStatus *w)
{
        return dump_of(&pool, format, full, n_workers, w);
}

static void test_queries(void **state _unused_)
{
        static const struct {
                const char *query;
                DumpFormat format;
                bool full;
        } cases[] = {
                { NULL, DUMP_TEXT, false },
                { "", DUMP_TEXT, false },
                { "full", DUMP_TEXT, true },
                { "json", DUMP_JSON, false },
                { "json&full", DUMP_JSON, true },
                { "full&json", DUMP_JSON, true },
                { "full=&xml=1", DUMP_XML, true },
                { "&&html&&", DUMP_HTML, false },
                { "json&html", DUMP_HTML, false }, /* the order is PHP-FPM's, not the query's */
                { "openmetrics&json", DUMP_JSON, false },
                { "openmetrics", DUMP_OPENMETRICS, false },
                { "jsonp&fuller&x=xml&xjson", DUMP_TEXT, false },
                { "=json", DUMP_TEXT, false },
                { "JSON&Full", DUMP_TEXT, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                bool full;

                assert_int_equal(dump_format_of_query(cases[i].query, &full), cases[i].format);
                assert_int_equal(full, cases[i].full);
        }
}

static void test_values(void **state _unused_)
{
        _cleanup_(freep) char *text = dump(DUMP_TEXT, true, 1, &worker);
        _cleanup_(freep) char *json = dump(DUMP_JSON, true, 2, &worker);
        _cleanup_(freep) char *xml = dump(DUMP_XML, true, 0, &worker);
        _cleanup_(freep) char *html = dump(DUMP_HTML, false, 1, &worker);

        assert_has(text, "pool:                 www\n");
        assert_has(text, "\nstart since:          21\n");
        assert_has(text, "\naccepted conn:        18446744073709551615\n");
        assert_has(text, "\nmax children reached: 0\n");
        assert_has(text, "\n\n************************\npid:                  17\n");
        assert_has(text, "\nrequest URI:          /page?a=1\n");
        assert_has(text, "\nlast request cpu:     12.05\n");
        assert_has(text, "\nscript:               -\n");
        assert_has(json, "{\"pool\":\"www\",\"process manager\":\"dynamic\",\"start time\":1700000000,");
        assert_has(json, ", \"processes\":[{\"pid\":17,");
        assert_has(json, "},{\"pid\":17,");
        assert_has(json,
                   "\"request duration\":1500,\"request method\":\"-\",\"request uri\":\"\\/page?a=1\",");
        assert_has(xml, "<start-time>1700000000</start-time>\n");
        assert_has(xml, "<processes>\n</processes>\n</status>");
        assert_has(html, "<tr><th>start since</th><td>21</td></tr>\n");
        assert_has_not(html, "request uri"); /* without full, no worker */
}

static void test_function(void **state _unused_)
{
        _cleanup_(freep) char *json = dump(DUMP_FUNCTION, true, 1, &worker);
        WorkerStatus none = { .state = "Idle" }, odd = { .state = "Idle", .request_uri = "?a?b" };
        _cleanup_(freep) char *empty = dump(DUMP_FUNCTION, true, 1, &none);
        _cleanup_(freep) char *query = dump(DUMP_FUNCTION, true, 1, &odd);

        assert_has(json, "\"process-manager\":\"dynamic\",\"start-time\":1700000000,");
        assert_has(json, "\"slow-requests\":7, \"procs\":[{\"pid\":17,");
        assert_has(json, "\"request-uri\":\"\\/page\",\"query-string\":\"a=1\",\"request-length\":0,");
        assert_has(json, "\"last-request-cpu\":12.05,\"last-request-memory\":0}]}");
        assert_has_not(json, "php-version");
        assert_has(empty, "\"request-uri\":\"-\",\"query-string\":\"\",");
        assert_has(query, "\"request-uri\":\"-\",\"query-string\":\"a?b\",");
}

/* It stands where PHP-FPM has it, and only for a PHP whose FPM has it. */
static void test_memory_peak(void **state _unused_)
{
        static const char *const shown[] = {
                [DUMP_TEXT] = "\nslow requests:        7\nmemory peak:          2097152\n",
                [DUMP_HTML] = ("<tr><th>slow requests</th><td>7</td></tr>\n"
                               "<tr><th>memory peak</th><td>2097152</td></tr>\n"),
                [DUMP_XML] = "<slow-requests>7</slow-requests>\n<memory-peak>2097152</memory-peak>\n",
                [DUMP_JSON] = "\"slow requests\":7,\"memory peak\":2097152,",
                [DUMP_OPENMETRICS] = "# TYPE phpfpm_memory_peak gauge\nphpfpm_memory_peak{pool=\"www\"} "
                                     "2097152\n",
                [DUMP_FUNCTION] = "\"slow-requests\":7,\"memory-peak\":2097152, \"procs\":[",
        };
        static const struct {
                const char *version;
                bool shown;
        } versions[] = {
                { "8.2.36", false },  { "8.3.30", false }, { "8.4.28", true },
                { "8.6.0RC3", true }, { "", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(versions); i++)
                for (DumpFormat format = 0; format < _DUMP_FORMAT_MAX; format++) {
                        PoolStatus p = pool;
                        _cleanup_(freep) char *text = NULL;

                        p.php_version = versions[i].version;
                        p.memory_peak = 2097152;
                        text = dump_of(&p, format, true, 1, &worker);
                        if (versions[i].shown)
                                assert_has(text, shown[format]);
                        else {
                                assert_has_not(text, "peak");
                                assert_has(text, "slow");
                        }
                }
}

/* How often s stands in a text. */
static size_t count(const char *text, const char *s)
{
        size_t n = 0;

        for (; (text = strstr(text, s)); text++)
                n++;
        return n;
}

static void test_openmetrics(void **state _unused_)
{
        _cleanup_(freep) char *text = dump(DUMP_OPENMETRICS, true, 3, &worker);

        assert_has(text, "# TYPE phpfpm_up gauge\nphpfpm_up{pool=\"www\"} 1\n");
        assert_has(text, "\nphpfpm_start_since{pool=\"www\"} 21\n");
        assert_has(text, "\nphpfpm_accepted_connections{pool=\"www\"} 18446744073709551615\n");
        assert_has(text, "\nphppool_recycled_total{pool=\"www\",cause=\"max_memory\"} 3\n");
        assert_has(text,
                   "\nphppool_info{pool=\"www\",process_manager=\"dynamic\",php_version=\"8.2.36\"} 1\n");
        assert_has(text, "\n# EOF\n");
        assert_int_equal(count(text, "# TYPE phppool_recycled "), 1);
}

static void test_hostile_strings(void **state _unused_)
{
        static const struct {
                const char *uri, *text, *markup, *json;
        } cases[] = {
                { "/<b>&\"'", "/<b>&\"'", "/&lt;b&gt;&amp;&quot;'", "/<b>&\\\"'" },
                { "/\\u0000\\", "/\\u0000\\", "/\\u0000\\", "/\\\\u0000\\\\" },
                { "/a\r\nb\x1b\x7f", "/a??b??", "/a??b??", "/a\\u000d\\u000ab\\u001b\\u007f" },
                { "/\xff\xfe\xc3x\xed\xa0\x80", "/???x???", "/???x???", "/???x???" },
                { "/\xc0\xaf\xf4\x90\x80\x80", "/??????", "/??????", "/??????" },
                { "/\xc3\xa4\xf0\x9f\x98\x80", "/\xc3\xa4\xf0\x9f\x98\x80", "/\xc3\xa4\xf0\x9f\x98\x80",
                  "/\xc3\xa4\xf0\x9f\x98\x80" },
                { "/\xef\xbf\xbe\xef\xbf\xbf\xc2\x85", "/???", "/???",
                  "/??\\u0085" },                     /* no characters in XML */
                { "/\xe2\x82", "/??", "/??", "/??" }, /* cut to fit the scoreboard */
                { "/%s%n]]>-->", "/%s%n]]>-->", "/%s%n]]&gt;--&gt;", "/%s%n]]>-->" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                WorkerStatus w = { .request_uri = cases[i].uri, .user = cases[i].uri };
                _cleanup_(freep) char *text = dump(DUMP_TEXT, true, 1, &w);
                _cleanup_(freep) char *html = dump(DUMP_HTML, true, 1, &w);
                _cleanup_(freep) char *xml = dump(DUMP_XML, true, 1, &w);
                _cleanup_(freep) char *json = dump(DUMP_JSON, true, 1, &w);
                char expected[256];

                (void) snprintf(expected, sizeof expected, "\nuser:                 %s\n", cases[i].text);
                assert_has(text, expected);
                (void) snprintf(expected, sizeof expected, "<td>%s</td>", cases[i].markup);
                assert_has(html, expected);
                (void) snprintf(expected, sizeof expected, "<request-uri>%s</request-uri>", cases[i].markup);
                assert_has(xml, expected);
                (void) snprintf(expected, sizeof expected, "\"request uri\":\"\\%s\",", cases[i].json);
                assert_has(json, expected);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_queries),        cmocka_unit_test(test_values),
                cmocka_unit_test(test_function),       cmocka_unit_test(test_openmetrics),
                cmocka_unit_test(test_memory_peak),
                cmocka_unit_test(test_hostile_strings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Server endpoints: peaks of the log against a naive count, medians against the exact ones, limits.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>

#include "core/endpoint.h"
#include "tests/support/build.h"

enum { MANY = 400 };

typedef struct {
    WslTime opened, over; /* over 0: still open */
} Life;

/* At the instant of an opening, those that ended before or then are gone. */
static uint64_t naive_open(const Life *lives, unsigned count)
{
    uint64_t most = 0;

    for (unsigned i = 0; i < count; i++) {
        uint64_t open = 0;
        for (unsigned j = 0; j < count; j++)
            open += lives[j].opened <= lives[i].opened && (!lives[j].over || lives[j].over > lives[i].opened);
        most = MAX(most, open);
    }
    return most;
}

/* In any second [t, t + 1 s): one that holds the most may as well begin with an opening. */
static uint64_t naive_rate(const Life *lives, unsigned count)
{
    uint64_t most = 0;

    for (unsigned i = 0; i < count; i++) {
        uint64_t opened = 0;
        for (unsigned j = 0; j < count; j++)
            opened += lives[j].opened >= lives[i].opened && lives[j].opened < lives[i].opened + WSL_SECOND;
        most = MAX(most, opened);
    }
    return most;
}

static void log_lives(WslEndpoints *endpoints, WslEndpoint *endpoint, const Life *lives, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        wsl_endpoint_log(endpoints, endpoint, WSL_LOG_ATTEMPT, lives[i].opened - 1, i, 0);
        wsl_endpoint_log(endpoints, endpoint, WSL_LOG_OPENED, lives[i].opened, i, 0);
    }
    for (unsigned i = 0; i < count; i++) /* out of order: ends are told when they are known */
        if (lives[i].over)
            wsl_endpoint_log(endpoints, endpoint, WSL_LOG_OVER, lives[i].over, i, 0);
}

static void test_peaks_are_those_of_a_naive_count(void)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        TestRandom random = {seed};
        Life lives[MANY];
        unsigned count = test_below(&random, seed % 10 ? 60 : MANY);
        uint32_t span = 1 + test_below(&random, 8000), step = seed % 3 ? 1 : 250; /* ms; coarse: many at one instant */
        WslEndpoints *endpoints = wsl_endpoints_new(10, 100000);
        WslEndpoint *endpoint = wsl_endpoint(endpoints, 1, 80, false);
        uint64_t open, rate;

        for (unsigned i = 0; i < count; i++) {
            lives[i].opened = WSL_SECOND + test_below(&random, span) / step * step * WSL_MILLISECOND;
            WslTime lasted = (1 + test_below(&random, span)) / step * step * WSL_MILLISECOND;
            lives[i].over = test_once_in(&random, 4) ? 0 : lives[i].opened + MAX(lasted, step * WSL_MILLISECOND);
        }
        log_lives(endpoints, endpoint, lives, count);
        wsl_endpoint_peaks(endpoint, &open, &rate);
        g_test_message("seed %u", (unsigned)seed);
        g_assert_cmpuint(open, ==, naive_open(lives, count));
        g_assert_cmpuint(rate, ==, naive_rate(lives, count));
        wsl_endpoints_free(endpoints);
    }
}

static void test_a_second_apart_is_another_second(void)
{
    WslEndpoints *endpoints = wsl_endpoints_new(10, 100);
    WslEndpoint *endpoint = wsl_endpoint(endpoints, 1, 80, false);
    const Life lives[] = {{5 * WSL_SECOND, 0}, {6 * WSL_SECOND - 1, 0}, {6 * WSL_SECOND, 0}};
    uint64_t open, rate;

    wsl_endpoint_peaks(endpoint, &open, &rate);
    g_assert_cmpuint(open + rate, ==, 0);
    log_lives(endpoints, endpoint, lives, 3);
    wsl_endpoint_peaks(endpoint, &open, &rate);
    g_assert_cmpuint(open, ==, 3);
    g_assert_cmpuint(rate, ==, 2);
    wsl_endpoints_free(endpoints);
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Of an even number either middle value, or anything between, is a median. */
static void check_median(const int64_t *sorted, unsigned count, int64_t median)
{
    double low = (double)sorted[(count - 1) / 2], high = (double)sorted[count / 2];

    /* below 16 µs a bin is 1 µs wide, and its middle may be half of that off */
    g_assert_cmpfloat((double)median, >=, low * 0.96 - 500);
    g_assert_cmpfloat((double)median, <=, high * 1.04 + 500);
}

static void test_medians_are_within_4_percent(void)
{
    for (uint64_t seed = 1; seed <= 500; seed++) {
        TestRandom random = {seed};
        WslDurations *durations = g_new0(WslDurations, 1);
        int64_t values[MANY];
        unsigned count = 1 + test_below(&random, MANY - 1);
        uint32_t spread = 1 + test_below(&random, 47); /* to 2^47 ns, 39 hours */

        for (unsigned i = 0; i < count; i++) {
            values[i] = (int64_t)(test_random(&random) >> (63 - test_below(&random, spread)) >> 1);
            wsl_durations_add(durations, values[i]);
        }
        qsort(values, count, sizeof values[0], by_value);
        g_test_message("seed %u", (unsigned)seed);
        check_median(values, count, wsl_durations_median(durations));
        g_assert_cmpint(wsl_durations_median(durations), <=, values[count - 1]);
        g_assert_cmpint(durations->most, ==, values[count - 1]);
        wsl_durations_clear(durations);
        g_free(durations);
    }
}

static void test_a_median_of_nothing_is_0(void)
{
    WslDurations durations = {.count = 0};

    g_assert_cmpint(wsl_durations_median(&durations), ==, 0);
    wsl_durations_add(&durations, -5);
    g_assert_cmpint(wsl_durations_median(&durations), ==, 0);
    wsl_durations_add(&durations, INT64_MAX);
    wsl_durations_add(&durations, INT64_MAX);
    g_assert_cmpint(wsl_durations_median(&durations), >, INT64_MAX / 100 * 96);
}

static void test_a_scan_does_not_push_out_a_server(void)
{
    WslEndpoints *endpoints = wsl_endpoints_new(100, 1000);
    WslEndpoint *server = wsl_endpoint(endpoints, 42, 80, false);

    wsl_endpoint_speaks(server);
    wsl_endpoint_log(endpoints, server, WSL_LOG_OPENED, 1, 1, 0);
    for (uint16_t port = 1; port < 5000; port++) {
        WslEndpoint *scanned = wsl_endpoint(endpoints, 7, port, false);
        g_assert_nonnull(scanned);
        wsl_endpoint_log(endpoints, scanned, WSL_LOG_ATTEMPT, port, port, 0);
    }
    g_assert_true(wsl_endpoint(endpoints, 42, 80, false) == server);
    g_assert_true(server->log && server->log->len == 1);
    g_assert_true(wsl_endpoints_limited(endpoints));
    GPtrArray *speaking = wsl_endpoints_speaking(endpoints);
    g_assert_cmpuint(speaking->len, ==, 1);
    g_ptr_array_unref(speaking);
    wsl_endpoints_free(endpoints);
}

static void test_servers_beyond_the_limit_are_refused(void)
{
    WslEndpoints *endpoints = wsl_endpoints_new(5, 1000);

    for (uint32_t i = 0; i < 8; i++) {
        WslEndpoint *endpoint = wsl_endpoint(endpoints, i, 80, i % 2);
        g_assert_true((endpoint != NULL) == (i < 5));
        if (endpoint)
            wsl_endpoint_speaks(endpoint);
    }
    g_assert_true(wsl_endpoints_limited(endpoints));
    wsl_endpoints_free(endpoints);
}

static void test_the_log_is_limited_in_all(void)
{
    WslEndpoints *endpoints = wsl_endpoints_new(5, 50);
    WslEndpoint *one = wsl_endpoint(endpoints, 1, 80, false), *two = wsl_endpoint(endpoints, 2, 80, false);

    for (unsigned i = 0; i < 50; i++)
        wsl_endpoint_log(endpoints, i % 2 ? one : two, WSL_LOG_ATTEMPT, i, i, 0);
    g_assert_false(wsl_endpoints_limited(endpoints));
    wsl_endpoint_log(endpoints, one, WSL_LOG_ATTEMPT, 50, 50, 0);
    g_assert_true(wsl_endpoints_limited(endpoints));
    g_assert_cmpuint(one->log->len + two->log->len, ==, 50);
    wsl_endpoints_free(endpoints);
}

#define ADD(name) g_test_add_func("/endpoint/" #name, test_##name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(peaks_are_those_of_a_naive_count);
    ADD(a_second_apart_is_another_second);
    ADD(medians_are_within_4_percent);
    ADD(a_median_of_nothing_is_0);
    ADD(a_scan_does_not_push_out_a_server);
    ADD(servers_beyond_the_limit_are_refused);
    ADD(the_log_is_limited_in_all);
    return g_test_run();
}

/*
 * Tests of --set: every setting is reached by its name, and only values in its range are taken.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <math.h>
#include <string.h>

#include "core/wsleuth.h"

static bool set(WslOptions *options, const char *name, const char *value)
{
    g_autofree char *assignment = g_strdup_printf("%s=%s", name, value);
    g_autoptr(GError) error = NULL;
    bool taken = wsl_options_set(options, assignment, &error);

    g_assert_cmpint(taken, ==, error == NULL);
    if (!taken)
        g_assert_true(error->domain == WSL_OPTIONS_ERROR && strlen(error->message) > 0);
    return taken;
}

static bool set_number(WslOptions *options, unsigned id, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    return set(options, wsl_setting(id)->name, g_ascii_dtostr(text, sizeof text, value));
}

static void test_settings_begin_with_their_standard(void)
{
    WslOptions *options = wsl_options_new();

    for (unsigned i = 0; i < WSL_SETTINGS; i++) {
        const WslSetting *setting = wsl_setting(i);
        g_assert_cmpfloat(options->settings[i], ==, setting->standard);
        g_assert_cmpfloat(setting->least, <=, setting->standard);
        g_assert_cmpfloat(setting->standard, <=, setting->most);
        g_assert_true(strlen(setting->name) && strlen(setting->unit) && strlen(setting->meaning));
    }
    /* as the contract promises */
    g_assert_cmpuint(options->max_connections, ==, 100000);
    g_assert_cmpuint(options->max_findings, ==, 1000);
    g_assert_cmpuint(options->max_proof, ==, 16);
    g_assert_cmpuint(options->ports->len, ==, 0);
    wsl_options_free(options);
}

static void test_names_are_unique(void)
{
    for (unsigned i = 0; i < WSL_SETTINGS; i++)
        for (unsigned other = 0; other < i; other++)
            g_assert_cmpstr(wsl_setting(i)->name, !=, wsl_setting(other)->name);
}

static void test_every_setting_takes_its_range_and_nothing_beyond(void)
{
    for (unsigned i = 0; i < WSL_SETTINGS; i++) {
        WslOptions *options = wsl_options_new();
        const WslSetting *setting = wsl_setting(i);
        const double good[] = {setting->least, setting->most, setting->standard};
        const double bad[] = {nextafter(setting->least, -INFINITY), nextafter(setting->most, INFINITY), -1e300, 1e300};
        for (size_t value = 0; value < G_N_ELEMENTS(good); value++) {
            g_assert_true(set_number(options, i, good[value]));
            g_assert_cmpfloat(options->settings[i], ==, good[value]);
        }
        for (size_t value = 0; value < G_N_ELEMENTS(bad); value++) {
            g_assert_false(set_number(options, i, bad[value]));
            g_assert_cmpfloat(options->settings[i], ==, setting->standard);
        }
        for (unsigned other = 0; other < WSL_SETTINGS; other++)
            g_assert_cmpfloat(options->settings[other], ==, wsl_setting(other)->standard);
        wsl_options_free(options);
    }
}

static void test_values_that_are_no_numbers(void)
{
    static const char *const values[] = {"", "x", "5x", "5 ", "nan", "inf", "-inf", "1,5", "--5", "5=5"};
    WslOptions *options = wsl_options_new();

    for (unsigned i = 0; i < WSL_SETTINGS; i++)
        for (size_t value = 0; value < G_N_ELEMENTS(values); value++) {
            g_assert_false(set(options, wsl_setting(i)->name, values[value]));
            g_assert_cmpfloat(options->settings[i], ==, wsl_setting(i)->standard);
        }
    wsl_options_free(options);
}

static void test_names_that_are_not_there(void)
{
    static const char *const assignments[] = {"", "=", "=5", "nonsense", "nonsense=5", "=nonsense=5"};
    WslOptions *options = wsl_options_new();

    for (size_t i = 0; i < G_N_ELEMENTS(assignments); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(wsl_options_set(options, assignments[i], &error));
        g_assert_nonnull(error);
    }
    for (unsigned i = 0; i < WSL_SETTINGS; i++) {
        const char *name = wsl_setting(i)->name;
        g_autofree char *shorter = g_strndup(name, strlen(name) - 1), *longer = g_strconcat(name, "x", NULL);
        g_autoptr(GError) error = NULL;
        g_assert_false(set(options, shorter, "5"));
        g_assert_false(set(options, longer, "5"));
        g_assert_false(wsl_options_set(options, name, &error));
    }
    wsl_options_free(options);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/standard", test_settings_begin_with_their_standard);
    g_test_add_func("/options/unique", test_names_are_unique);
    g_test_add_func("/options/range", test_every_setting_takes_its_range_and_nothing_beyond);
    g_test_add_func("/options/no-numbers", test_values_that_are_no_numbers);
    g_test_add_func("/options/no-names", test_names_that_are_not_there);
    return g_test_run();
}

/*
 * Fuzz target: ClientHellos, whole and cut anywhere.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/tls/hello.h"
#include "tests/support/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

static void parse(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *exact = test_exact(data, size); /* so that ASan sees the end */
    bool complete = false;
    WslHello *hello = wsl_hello_parse(exact, size, &complete);

    if (!hello)
        return;
    CHECK(wsl_hello_may_be(exact, size));
    CHECK(hello->alpn != NULL);
    for (guint i = 0; i < hello->alpn->len; i++)
        CHECK(g_ptr_array_index(hello->alpn, i) != NULL);
    wsl_hello_free(hello);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size);
    for (size_t parts = 2; parts < 8; parts++)
        parse(data, size / parts);
    return 0;
}

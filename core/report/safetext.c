/*
 * Text that came from the wire, made safe for terminals and tickets.
 *
 * wsl_redact() first undoes the percent encoding, however often it was applied, and the escapes that JSON uses for URLs
 * (\/ and \u00NN), but remembers for each character where it stood and how often it was encoded. All judging is done on
 * the decoded characters, all copying on the bytes as they came. A delimiter ends a value only if it is encoded no more
 * often than the separator before the value: in token=a%26b&x=1 the token is a%26b, in next=%2F%3Ftoken%3Da%26x the same
 * %26 ends it. In doubt more is masked, not less.
 *
 * Then one pass looks, in this order, for URLs with user info, for pairs whose name is in name_rules, for what follows an
 * HTTP authentication scheme, for tokens of a known form and for random runs. Every step looks a bounded distance back and
 * forward, or skips what it has read: the time is linear in the length.
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core/report/safetext.h"

#include <stdbool.h>
#include <string.h>

#include "core/report/utf8text.h"

enum {
    LEVEL_MAX = 7,        /**< what was encoded more often counts as this */
    NAME_LENGTH_MAX = 64, /**< of a longer name the end is judged */
    NAME_GAP_MAX = 8,     /**< white space, quotes and brackets between a name and its separator */
    LONG_VALUE = 16,      /**< what "code" must have to be one of OAuth instead of a status */
    WORD_MAX = 16,        /**< no word of the tables below is longer */
    RUN_MIN = 20,         /**< characters of a random run, with the separators within it */
    RANDOM_MIN = 12,      /**< and without them */
    NEUTRAL_MAX = 3,      /**< a piece this short says nothing */
    SHORT_PIECE_MAX = 7,  /**< and one this short little */
    PLAIN_NAME_MAX = 11,  /**< a name without vowels says no more */
    HUMP_MIN = 3,         /**< letters between two capitals of a camelCaseName */
    HEX_MIN = 24,
    UUID_LENGTH = 36,
    JWT_MIN = 20,
    PREFIXED_MAX = 32,     /**< characters after a prefix among which a digit must be */
    LISTED_TOKEN_MIN = 12, /**< "bearer, x" in a list of subprotocols */
    MASK_LENGTH = 7,       /**< of "…" and four digits */
};

/** Odd pairs in 100 that make a run random: English text has 5, base64 and lower-case letters at random have 57 and more. */
#define ODD_PERCENT 30

/** The input, decoded. */
typedef struct {
    const char *bytes;
    size_t count;   /**< decoded characters (bytes of them, if they are not ASCII) */
    char *text;     /**< the characters; text[count] is NUL */
    uint8_t *level; /**< how often each was encoded */
    size_t *at;     /**< where each begins in `bytes`; at[count] is the input's length */
} Decoded;

typedef struct {
    size_t begin, end;
} Span;

typedef enum {
    ANYWHERE, /**< in the name */
    ENDING,   /**< at the end of one of its words */
    WORD,     /**< as one of its words */
} Place;

typedef struct {
    char text[WORD_MAX];
    Place place;
    bool line;      /**< after "name:" the credential is the rest of the line */
    bool long_only; /**< only values of LONG_VALUE characters and more are credentials */
} NameRule;

/* In the order of the alphabet, which init_redactor() relies on; of two that fit, the first counts. */
static const NameRule name_rules[] = {
    {"assertion", ANYWHERE, false, false},
    {"authorization", ANYWHERE, true, false},
    {"auth", ANYWHERE, false, false},
    {"bearer", ANYWHERE, false, false},
    {"code", WORD, false, true},
    {"cookie", ANYWHERE, true, false},
    {"credential", ANYWHERE, false, false},
    {"creds", ANYWHERE, false, false},
    {"csrf", ANYWHERE, false, false},
    {"hmac", WORD, false, false},
    {"jwt", ANYWHERE, false, false},
    {"key", ENDING, false, false},
    {"otp", WORD, false, false},
    {"passcode", ANYWHERE, false, false},
    {"passphrase", ANYWHERE, false, false},
    {"passw", ANYWHERE, false, false},
    {"pass", WORD, false, false},
    {"pin", WORD, false, false},
    {"psk", WORD, false, false},
    {"pwd", ANYWHERE, false, false},
    {"pw", WORD, false, false},
    {"saml", ANYWHERE, false, false},
    {"secret", ANYWHERE, false, false},
    {"session", ANYWHERE, false, false},
    {"sess", WORD, false, false},
    {"sid", ENDING, false, false},
    {"signature", ANYWHERE, false, false},
    {"sign", WORD, false, false},
    {"sig", ENDING, false, false},
    {"ticket", ANYWHERE, false, false},
    {"token", ANYWHERE, false, false},
    {"verifier", WORD, false, true},
    {"xsrf", ANYWHERE, false, false},
};

typedef struct {
    Decoded in;
    GString *out;
    uint64_t salt;
    size_t copied;             /**< bytes of the input that are in `out` or were replaced */
    const NameRule *rules[26]; /**< for each letter the first rule that begins with it */
    size_t judged;             /**< characters before this one were judged as parts of a run */
} Redactor;

/** Words of a name that hold one of the above and mean something else. */
static const char *const innocent_names[] = {
    "author", "authored",        "authority",    "authors",      "bssid",     "donkey", "essid",
    "hockey", "hotkey",          "jockey",       "monkey",       "secretary", "ssid",   "tokenizer",
    "turkey", "unauthenticated", "unauthorised", "unauthorized", "whiskey",
};

/** Values that tell how it is with the credential instead of being one; token=undefined is what one wants to see. */
static const char *const innocent_values[] = {
    "apikey",   "basic",   "bad",     "bearer", "closed",    "denied",  "digest", "error", "expired", "failed",
    "false",    "invalid", "is",      "jwt",    "nan",       "missing", "no",     "none",  "not",     "null",
    "required", "revoked", "timeout", "true",   "undefined", "unknown", "was",    "yes",
};

/** Schemes of the Authorization header (IANA's registry and common ones of no registry). */
static const char *const schemes[] = {
    "apikey", "aws4-hmac-sha256", "basic", "bearer", "digest", "hawk", "hmac", "jwt", "negotiate", "ntlm", "token",
};

/** What follows "bearer" or "basic" in prose and in a challenge. */
static const char *const prose[] = {
    "and",         "auth",   "authentication", "authorization", "bearer",   "basic",  "charset",
    "credentials", "error",  "header",         "headers",       "is",       "latin",  "missing",
    "not",         "or",     "plan",           "realm",         "required", "scheme", "scope",
    "token",       "tokens", "user",           "users",         "was",
};

typedef struct {
    char text[WORD_MAX];
    uint8_t rest_min; /**< characters that follow, at least; one of them is a digit */
} Prefix;

/** How issuers mark their tokens so that scanners find them. */
static const Prefix prefixes[] = {
    {"AIza", 30},  {"AKIA", 16},  {"ASIA", 16},  {"SG.", 20},         {"dop_v1_", 20}, {"ghp_", 20},  {"gho_", 20},
    {"ghr_", 20},  {"ghs_", 20},  {"ghu_", 20},  {"github_pat_", 20}, {"glpat-", 16},  {"hf_", 20},   {"npm_", 20},
    {"pk_", 16},   {"pypi-", 20}, {"rk_", 16},   {"shpat_", 16},      {"sk-", 20},     {"sk_", 16},   {"whsec_", 16},
    {"xapp-", 10}, {"xoxa-", 10}, {"xoxb-", 10}, {"xoxe-", 10},       {"xoxp-", 10},   {"xoxs-", 10}, {"ya29.", 16},
};

/**
 * The pairs of letters that words are made of: bit y of row x stands for the pair xy. These 293 of the 676 make up 95.5 %
 * of the pairs in the 10 190 words of four letters and more that occur 60 times in Debian's manual pages and documentation.
 */
static const uint32_t word_pairs[26] = {
    0x17ebd6e, 0x1164955, 0x11edd95, 0x016491b, 0x1fff97f, 0x01e493d, 0x01669d1, 0x01a4111, 0x2aef87f,
    0x0004011, 0x0040111, 0x11c491d, 0x014d913, 0x03ced7d, 0x07efd6f, 0x11ec995, 0x0100000, 0x13efd7f,
    0x11cdd95, 0x15ed9bd, 0x00eb97f, 0x0004111, 0x0066191, 0x0088114, 0x00cb100, 0x0000111,
};

void wsl_safe_append(GString *out, const char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t at = 0, taken; at < length; at += taken) {
        uint32_t code;

        taken = wsl_utf8_next(bytes + at, length - at, &code);
        if (code != WSL_UTF8_INVALID && !wsl_utf8_steers(code)) {
            g_string_append_len(out, bytes + at, (gssize)taken);
            continue;
        }
        for (size_t i = at; i < at + taken; i++) {
            uint8_t byte = (uint8_t)bytes[i];
            const char escape[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};

            g_string_append_len(out, escape, sizeof escape);
        }
    }
}

static bool is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/** A loop, not strchr(): the sets are short, and this is asked of every character. */
static inline bool is_in(char c, const char *set)
{
    while (*set != '\0' && *set != c)
        set++;
    return *set != '\0';
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/** Reads one character at `bytes`, with whatever encodes it, and returns how many bytes it takes. */
static size_t decode_one(const char *bytes, size_t length, char *c, uint8_t *level)
{
    size_t taken = 1;

    *c = bytes[0];
    *level = 0;
    if (*c == '\\' && length >= 2 && bytes[1] == '/') {
        *c = '/';
        return 2;
    }
    if (*c == '\\' && length >= 6 && memcmp(bytes + 1, "u00", 3) == 0 && g_ascii_isxdigit(bytes[4]) &&
        g_ascii_isxdigit(bytes[5])) {
        *c = (char)(g_ascii_xdigit_value(bytes[4]) << 4 | g_ascii_xdigit_value(bytes[5]));
        *level = 1;
        return 6;
    }
    while (*c == '%' && length - taken >= 2 && g_ascii_isxdigit(bytes[taken]) && g_ascii_isxdigit(bytes[taken + 1])) {
        *c = (char)(g_ascii_xdigit_value(bytes[taken]) << 4 | g_ascii_xdigit_value(bytes[taken + 1]));
        taken += 2;
        if (*level < LEVEL_MAX)
            ++*level;
    }
    return taken;
}

static void decode(Decoded *in, const char *bytes, size_t length)
{
    in->bytes = bytes;
    in->count = 0;
    in->text = g_malloc(length + 1);
    in->level = g_malloc(length + 1);
    in->at = g_new(size_t, length + 1);
    for (size_t at = 0; at < length; in->count++) {
        in->at[in->count] = at;
        at += decode_one(bytes + at, length - at, &in->text[in->count], &in->level[in->count]);
    }
    in->at[in->count] = length;
    in->text[in->count] = '\0';
    in->level[in->count] = 0;
}

/** Whether the characters from `begin` are `word`, which is in lower case, and end before `end`. */
static bool starts_with(const Decoded *in, size_t begin, size_t end, const char *word)
{
    while (*word != '\0' && begin < end && g_ascii_tolower(in->text[begin]) == *word) {
        begin++;
        word++;
    }
    return *word == '\0';
}

static bool is_one_of(const Decoded *in, Span span, const char *const *words, size_t count)
{
    char first = g_ascii_tolower(in->text[span.begin]);

    for (size_t i = 0; i < count; i++)
        if (words[i][0] == first && strlen(words[i]) == span.end - span.begin &&
            starts_with(in, span.begin, span.end, words[i]))
            return true;
    return false;
}

/** 16 bits of an FNV-1a hash of the bytes as they came; the last rounds (of MurmurHash3) spread what the last bytes say. */
static unsigned hash_bytes(const char *bytes, size_t length, uint64_t salt)
{
    uint64_t hash = 0xcbf29ce484222325U;

    for (unsigned i = 0; i < 8; i++)
        hash = (hash ^ (salt >> 8 * i & 0xff)) * 0x100000001b3U;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 0x100000001b3U;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdU;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53U;
    return (unsigned)(hash >> 48);
}

/** Whether this is what append_mask() writes: a text that is redacted twice keeps its marks. */
static bool is_mask(const char *bytes, size_t length)
{
    if (length != MASK_LENGTH || memcmp(bytes, "…", 3) != 0)
        return false;
    for (size_t i = 3; i < length; i++)
        if (!g_ascii_isxdigit(bytes[i]))
            return false;
    return true;
}

static void append_mask(GString *out, unsigned hash)
{
    static const char digits[] = "0123456789abcdef";
    char mask[] = "…0000";

    for (unsigned i = 1; i <= 4; i++, hash >>= 4)
        mask[MASK_LENGTH - i] = digits[hash & 15];
    g_string_append_len(out, mask, MASK_LENGTH);
}

/** Puts the mark in place of the characters, after what stands before them. */
static void redact_span(Redactor *r, Span span)
{
    size_t begin = r->in.at[span.begin];
    size_t length = r->in.at[span.end] - begin;

    if (is_mask(r->in.bytes + begin, length))
        return;
    g_string_append_len(r->out, r->in.bytes + r->copied, (gssize)(begin - r->copied));
    append_mask(r->out, hash_bytes(r->in.bytes + begin, length, r->salt));
    r->copied = begin + length;
}

static bool is_name_char(char c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '-' || c == '.' || c == '$';
}

/** The name that ends before the separator at `separator`; empty if none does. */
static Span find_name(const Decoded *in, size_t separator)
{
    size_t end = separator;
    size_t begin;

    for (unsigned gap = 0; gap < NAME_GAP_MAX && end > 0 && is_in(in->text[end - 1], " \t\"'\\[]"); gap++)
        end--;
    begin = end;
    while (begin > 0 && end - begin < NAME_LENGTH_MAX && is_name_char(in->text[begin - 1]))
        begin--;
    return (Span){begin, end};
}

/** Whether a word of a name may begin at `i`: where letters begin, and at the humps of camelCase. */
static bool is_boundary(const char *text, Span name, size_t i)
{
    if (i <= name.begin || i >= name.end)
        return true;
    return !g_ascii_isalpha(text[i - 1]) || !g_ascii_isalpha(text[i]) ||
           (g_ascii_islower(text[i - 1]) && g_ascii_isupper(text[i]));
}

/** Whether the word around text[begin .. end) is an innocent one. */
static bool is_innocent(const Decoded *in, Span name, Span match)
{
    Span word = match;

    while (!is_boundary(in->text, name, word.begin))
        word.begin--;
    while (!is_boundary(in->text, name, word.end))
        word.end++;
    return is_one_of(in, word, innocent_names, G_N_ELEMENTS(innocent_names));
}

static bool rule_fits(const NameRule *rule, const Decoded *in, Span name, size_t i)
{
    Span match = {i, i + strlen(rule->text)};

    if (!starts_with(in, i, name.end, rule->text))
        return false;
    if (rule->place != ANYWHERE && !is_boundary(in->text, name, match.end))
        return false;
    if (rule->place == WORD && !is_boundary(in->text, name, match.begin))
        return false;
    return !is_innocent(in, name, match);
}

/** The rule that makes the name one of a credential; NULL if none does. */
static const NameRule *find_rule(const Redactor *r, Span name)
{
    for (size_t i = name.begin; i < name.end; i++) {
        char letter = g_ascii_tolower(r->in.text[i]);
        const NameRule *rule = g_ascii_islower(letter) ? r->rules[letter - 'a'] : NULL;

        for (; rule != NULL && rule < name_rules + G_N_ELEMENTS(name_rules) && rule->text[0] == letter; rule++)
            if (rule->text[1] == g_ascii_tolower(r->in.text[i + 1]) && rule_fits(rule, &r->in, name, i))
                return rule;
    }
    return NULL;
}

/**
 * Where the string ends whose opening quote stands at `quote` behind `depth` backslashes (JSON in JSON in …). As many
 * backslashes before a quote close it, or fewer, or as many as are left when pairs of them are taken for one.
 */
static size_t find_quote(const Decoded *in, size_t quote, size_t depth)
{
    size_t backslashes = 0;

    for (size_t i = quote + 1; i < in->count; i++) {
        if (in->text[i] == '\\') {
            backslashes++;
            continue;
        }
        if (in->text[i] == in->text[quote] && in->level[i] <= in->level[quote] &&
            (backslashes < depth || (backslashes + 1) % (2 * (depth + 1)) == depth + 1))
            return i - (backslashes < depth ? backslashes : depth);
        backslashes = 0;
    }
    return in->count;
}

/** Skips the name of an authentication scheme and the space after it, if something follows. */
static size_t skip_scheme(const Decoded *in, size_t begin)
{
    size_t end = begin;
    size_t next;

    while (end - begin < WORD_MAX && (g_ascii_isalnum(in->text[end]) || in->text[end] == '-'))
        end++;
    if (!is_one_of(in, (Span){begin, end}, schemes, G_N_ELEMENTS(schemes)))
        return begin;
    for (next = end; is_in(in->text[next], " \t+"); next++)
        ;
    return next > end && next < in->count && !is_in(in->text[next], "&;,\"'\r\n") ? next : begin;
}

/** Where the value of a header line ends: at the line's end or a quote, but not at those of name="x". */
static size_t find_line_end(const Decoded *in, size_t begin, uint8_t level)
{
    size_t i = begin;

    for (; i < in->count; i++) {
        if (in->level[i] > level)
            continue;
        if (in->text[i] == '\r' || in->text[i] == '\n')
            break;
        if (!is_quote(in->text[i]))
            continue;
        if (i == begin || in->text[i - 1] != '=')
            break;
        i = find_quote(in, i, 0);
    }
    return MIN(i, in->count);
}

/** Where a bare value ends; delimiters that were encoded more often than `level` belong to it. */
static size_t find_bare_end(const Decoded *in, size_t begin, uint8_t level)
{
    size_t i = begin;

    while (i < in->count && (in->level[i] > level || !(is_white(in->text[i]) || is_in(in->text[i], "&;,\"'"))))
        i++;
    return i;
}

/** The value that begins at `begin` without a quote, and the brackets after it left out. */
static Span find_bare_value(const Decoded *in, size_t begin, uint8_t level, bool line)
{
    Span value = {skip_scheme(in, begin), 0};

    value.end = line ? find_line_end(in, value.begin, level) : find_bare_end(in, value.begin, level);
    while (value.end > value.begin && is_in(in->text[value.end - 1], ")]}>\\ "))
        value.end--;
    return value;
}

/**
 * The value at `begin`, quoted or bare. `next` becomes where to go on reading. Empty if there is none, or if it is a JSON
 * object, whose members have names of their own.
 */
static Span find_value(const Decoded *in, size_t begin, uint8_t level, bool line, size_t *next)
{
    size_t quote = begin;
    Span value;

    while (in->text[quote] == '\\')
        quote++;
    if (is_quote(in->text[quote])) {
        value = (Span){quote + 1, find_quote(in, quote, quote - begin)};
        value.begin = MIN(skip_scheme(in, value.begin), value.end);
    } else if (in->text[begin] == '{' && is_in(in->text[begin + 1], " \t\r\n\\\"}")) {
        value = (Span){begin, begin};
    } else {
        value = find_bare_value(in, begin, level, line);
    }
    *next = MAX(begin, value.end);
    return value;
}

/** Whether what looks like name:value is host:port. */
static bool is_port(const Decoded *in, Span name, size_t colon)
{
    size_t end = colon + 1;
    bool authority = name.begin > 0 && is_in(in->text[name.begin - 1], "/@");

    if (name.end != colon)
        return false;
    while (end - colon <= 5 && g_ascii_isdigit(in->text[end]))
        end++;
    return end > colon + 1 && (authority || memchr(in->text + name.begin, '.', name.end - name.begin) != NULL) &&
           (end == in->count || is_white(in->text[end]) || is_in(in->text[end], "/?#,;)]\"'"));
}

/** Skips from one element of a JSON array to the next; false if there is none. */
static bool next_element(const Decoded *in, size_t *at)
{
    while (is_in(in->text[*at], "\\\"'"))
        ++*at;
    while (is_in(in->text[*at], " \t\r\n"))
        ++*at;
    if (in->text[*at] != ',')
        return false;
    for (++*at; is_in(in->text[*at], " \t\r\n"); ++*at)
        ;
    return is_in(in->text[*at], "\\\"'");
}

/** Masks the value of a pair, or of each string of an array; returns where to go on. */
static size_t redact_value(Redactor *r, const NameRule *rule, size_t separator)
{
    const Decoded *in = &r->in;
    bool line = rule->line && in->text[separator] == ':';
    bool array = false;
    size_t at = separator + 1;

    while (is_in(in->text[at], " \t=>"))
        at++;
    if (in->text[at] == '[' && is_in(in->text[at + 1], " \t\r\n\\\"'")) {
        array = true;
        for (at++; is_in(in->text[at], " \t\r\n"); at++)
            ;
    }
    do {
        Span value = find_value(in, at, in->level[separator], line, &at);
        size_t length = value.end - value.begin;

        if (rule->long_only && length < LONG_VALUE)
            return value.begin;
        if (length > 0 && !is_one_of(in, value, innocent_values, G_N_ELEMENTS(innocent_values)))
            redact_span(r, value);
    } while (array && next_element(in, &at));
    return at;
}

/** Looks at the separator at `i`: masks its value if the name before it is one of a credential. Returns where to go on. */
static size_t redact_pair(Redactor *r, size_t i)
{
    Span name = find_name(&r->in, i);
    const NameRule *rule = find_rule(r, name);

    if (rule == NULL || (r->in.text[i] == ':' && is_port(&r->in, name, i)))
        return i + 1;
    return redact_value(r, rule, i);
}

/** Whether the & at `i` separates pairs of a query: x=… follows. */
static bool is_query_pair(const Decoded *in, size_t i)
{
    size_t end = i + 1;

    while (end - i <= NAME_LENGTH_MAX && is_name_char(in->text[end]))
        end++;
    return end > i + 1 && in->text[end] == '=';
}

/** Masks the user info of the URL whose "://" stands at `i` (RFC 3986 §3.2.1); returns where to go on. */
static size_t redact_userinfo(Redactor *r, size_t i)
{
    const Decoded *in = &r->in;
    Span user = {i + 3, 0};

    for (size_t k = user.begin; k < in->count; k++) {
        bool ends = is_white(in->text[k]) || is_in(in->text[k], "/?#\"'<>\\") ||
                    (in->text[k] == '&' && (in->level[k] < in->level[i] || is_query_pair(in, k)));

        if (ends && in->level[k] <= in->level[i])
            break;
        if (in->text[k] == '@')
            user.end = k;
    }
    if (user.end <= user.begin)
        return user.begin;
    redact_span(r, user);
    return user.end;
}

static bool has_digit(const Decoded *in, Span span)
{
    for (size_t i = span.begin; i < span.end; i++)
        if (g_ascii_isdigit(in->text[i]))
            return true;
    return false;
}

/** Whether a word of a sentence stands at `begin`, or a challenge (realm="x"), but no token. */
static bool is_prose(const Decoded *in, size_t begin)
{
    Span word = {begin, begin};
    char after;

    while (word.end - begin < WORD_MAX && g_ascii_isalpha(in->text[word.end]))
        word.end++;
    after = in->text[word.end];
    return (word.end == in->count || is_white(after) || is_in(after, "=.,;:!?)\"'")) &&
           is_one_of(in, word, prose, G_N_ELEMENTS(prose));
}

/** Masks what follows "bearer" or "basic" at `i`; returns where to go on, which is `i` if nothing does. */
static size_t redact_bearer(Redactor *r, size_t i)
{
    const Decoded *in = &r->in;
    bool bearer = starts_with(in, i, in->count, "bearer");
    size_t word = i + strlen(bearer ? "bearer" : "basic");
    size_t begin = word;
    Span value;

    if (!bearer && !starts_with(in, i, in->count, "basic"))
        return i;
    while (is_in(in->text[begin], " \t+,"))
        begin++;
    if (begin == word || is_prose(in, begin))
        return i;
    value = find_bare_value(in, begin, in->level[word], false);
    if (value.end <= value.begin)
        return i;
    if (in->text[word] == ',' && (value.end - value.begin < LISTED_TOKEN_MIN || !has_digit(in, value)))
        return i;
    redact_span(r, value);
    return value.end;
}

/** Whether the character at `i` was encoded and is no text. */
static bool is_encoded_binary(const Decoded *in, size_t i)
{
    uint32_t code;

    if (g_ascii_iscntrl(in->text[i]))
        return !is_white(in->text[i]);
    wsl_utf8_next(in->text + i, in->count - i, &code);
    return code == WSL_UTF8_INVALID;
}

/** Whether the character at `i`, which may be the end, is of the kind that random runs are made of. */
static inline bool is_piece_char(const Decoded *in, size_t i)
{
    return g_ascii_isalnum(in->text[i]) || (in->level[i] > 0 && is_encoded_binary(in, i));
}

/** Where a UUID (RFC 9562 §4) that begins at `i` ends; `i` if none does. */
static size_t find_uuid_end(const Decoded *in, size_t i)
{
    if (in->count - i < UUID_LENGTH || in->text[i + 8] != '-')
        return i;
    for (size_t k = 0; k < UUID_LENGTH; k++) {
        bool dash = k == 8 || k == 13 || k == 18 || k == 23;

        if (dash ? in->text[i + k] != '-' : !g_ascii_isxdigit(in->text[i + k]))
            return i;
    }
    return g_ascii_isalnum(in->text[i + UUID_LENGTH]) ? i : i + UUID_LENGTH;
}

static bool is_token_char(char c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '-' || c == '.';
}

/** Where the token ends that has a character at `i`; a full stop at its end is the sentence's. */
static size_t find_token_end(const Decoded *in, size_t i)
{
    size_t end = i + 1;

    while (is_token_char(in->text[end]))
        end++;
    while (end > i + 1 && in->text[end - 1] == '.')
        end--;
    return end;
}

/** Where a token with an issuer's prefix that begins at `i` ends; `i` if none does. */
static size_t find_prefixed_end(const Decoded *in, size_t i)
{
    for (size_t k = 0; k < G_N_ELEMENTS(prefixes) && prefixes[k].text[0] <= in->text[i]; k++) {
        size_t begin = i + strlen(prefixes[k].text);
        size_t end = begin;
        bool digit = false;

        if (prefixes[k].text[0] != in->text[i] || in->count < begin ||
            memcmp(in->text + i, prefixes[k].text, begin - i) != 0)
            continue;
        for (; end - begin < PREFIXED_MAX && is_token_char(in->text[end]); end++)
            digit = digit || g_ascii_isdigit(in->text[end]);
        return digit && end - begin >= prefixes[k].rest_min ? find_token_end(in, end - 1) : i;
    }
    return i;
}

/** Where a token of known form that begins at `i`, at the beginning of a piece, ends; `i` if none does. */
static size_t find_known_end(const Decoded *in, size_t i)
{
    size_t end = find_uuid_end(in, i);

    if (end > i)
        return end;
    end = find_prefixed_end(in, i);
    if (end > i)
        return end;
    /* a JWT's header is an object: {" in base64 (RFC 7519 §3.1) */
    if (in->count - i >= JWT_MIN && memcmp(in->text + i, "eyJ", 3) == 0) {
        end = find_token_end(in, i);
        return end - i >= JWT_MIN ? end : i;
    }
    for (end = i; g_ascii_isxdigit(in->text[end]); end++)
        ;
    return end - i >= HEX_MIN && !is_piece_char(in, end) ? end : i;
}

/** Whether no word would have the character at `i` follow the one before it; `hump`: letters since the last capital. */
static bool is_odd_pair(const Decoded *in, size_t i, size_t hump)
{
    char before = in->text[i - 1];
    char c = in->text[i];

    if (g_ascii_isdigit(before) && g_ascii_isdigit(c))
        return false;
    if (!g_ascii_isalpha(before) || !g_ascii_isalpha(c))
        return true;
    if (g_ascii_islower(before) && g_ascii_isupper(c))
        return hump < HUMP_MIN || !g_ascii_islower(in->text[i + 1]);
    return (word_pairs[g_ascii_tolower(before) - 'a'] >> (g_ascii_tolower(c) - 'a') & 1) == 0;
}

/** How many pairs of neighbours in the piece are odd. A number at its end makes none. */
static size_t count_odd_pairs(const Decoded *in, Span piece)
{
    size_t odd = 0;
    size_t hump = 1;

    while (piece.end > piece.begin && g_ascii_isdigit(in->text[piece.end - 1]))
        piece.end--;
    for (size_t i = piece.begin + 1; i < piece.end; i++) {
        odd += is_odd_pair(in, i, hump) ? 1 : 0;
        hump = g_ascii_isupper(in->text[i]) ? 1 : hump + 1;
    }
    return odd;
}

typedef enum {
    NEUTRAL, /**< short, or a number */
    WORDLIKE,
    RANDOM,
} PieceKind;

/** Whether the piece is of letters of one case, but for the first, and a number after them: a name as likely as not. */
static bool is_plain_name(const Decoded *in, Span piece)
{
    size_t i = piece.begin + 1;
    bool upper = i < piece.end && g_ascii_isupper(in->text[i]);

    if (!g_ascii_isalpha(in->text[piece.begin]) || (upper && g_ascii_islower(in->text[piece.begin])))
        return false;
    while (i < piece.end && (upper ? g_ascii_isupper(in->text[i]) : g_ascii_islower(in->text[i])))
        i++;
    while (i < piece.end && g_ascii_isdigit(in->text[i]))
        i++;
    return i == piece.end;
}

static PieceKind judge_piece(const Decoded *in, Span piece, size_t *odd)
{
    size_t length = piece.end - piece.begin;
    bool number = true;
    bool name;

    *odd = 0;
    for (size_t i = piece.begin; number && i < piece.end; i++)
        number = g_ascii_isdigit(in->text[i]);
    if (number || length <= NEUTRAL_MAX)
        return NEUTRAL;
    name = is_plain_name(in, piece);
    *odd = count_odd_pairs(in, piece);
    if (name && *odd <= 1)
        return WORDLIKE;
    if (length > SHORT_PIECE_MAX && *odd * 100 < (length - 1) * ODD_PERCENT)
        return WORDLIKE;
    return *odd == 0 || (name && length <= PLAIN_NAME_MAX) ? NEUTRAL : RANDOM;
}

/** Pieces that follow each other without a word between them. */
typedef struct {
    Span span;     /**< from the first random one to the last, with neutral ones that only - _ + join to them */
    size_t random; /**< characters of random ones */
    size_t pairs, odd;
    size_t next; /**< where the first piece begins or ends that does not belong to them */
} Group;

/** Where the piece ends that begins at `i`. */
static size_t find_piece_end(const Decoded *in, size_t i)
{
    while (is_piece_char(in, i))
        i++;
    return i;
}

/** `lead` is where the first piece begins that - _ + join to this one. */
static void add_piece(Group *group, Span piece, PieceKind kind, size_t lead)
{
    size_t length = piece.end - piece.begin;

    if (kind == RANDOM) {
        if (group->random == 0)
            group->span.begin = lead;
        group->random += length;
        group->pairs += length - 1;
    }
    if (kind == RANDOM || (group->random > 0 && lead <= group->span.end))
        group->span.end = piece.end;
}

/** Gathers the pieces from `begin`, where one begins. */
static Group gather(const Decoded *in, size_t begin)
{
    Group group = {{begin, begin}, 0, 0, 0, begin};
    size_t lead = begin;
    size_t i = begin;

    while (is_piece_char(in, i) && (i == begin || find_known_end(in, i) == i)) {
        Span piece = {i, find_piece_end(in, i)};
        size_t odd;
        PieceKind kind = judge_piece(in, piece, &odd);

        group.next = piece.end;
        if (kind == WORDLIKE)
            break;
        add_piece(&group, piece, kind, lead);
        group.odd += kind == RANDOM ? odd : 0;
        for (i = piece.end; is_in(in->text[i], "_-+/.~"); i++)
            if (is_in(in->text[i], "/.~"))
                lead = i + 1;
    }
    return group;
}

/** The end of the base64 whose padding stands after `end`, if one does; else `fallback`. */
static size_t find_padded_end(const Decoded *in, size_t end, size_t fallback)
{
    if (in->text[end] != '=')
        return fallback;
    while (in->text[end] == '=')
        end++;
    return is_piece_char(in, end) || is_quote(in->text[end]) ? fallback : end;
}

/** The span with the - and _ at its ends, unless they join it to something. */
static Span with_edges(const Redactor *r, Span span)
{
    const Decoded *in = &r->in;
    Span wide = span;

    while (wide.begin > 0 && in->at[wide.begin - 1] >= r->copied && is_in(in->text[wide.begin - 1], "-_"))
        wide.begin--;
    if (wide.begin > 0 && (in->at[wide.begin] == r->copied || is_piece_char(in, wide.begin - 1)))
        wide.begin = span.begin;
    while (is_in(in->text[wide.end], "-_"))
        wide.end++;
    if (is_piece_char(in, wide.end))
        wide.end = span.end;
    return wide;
}

/** Judges the run of characters at `i`, where a piece begins, and masks what is random in it; returns where to go on. */
static size_t redact_run(Redactor *r, size_t i)
{
    const Decoded *in = &r->in;
    size_t end = find_known_end(in, i);
    Group group;

    if (end > i) {
        redact_span(r, (Span){i, end});
        return end;
    }
    group = gather(in, i);
    r->judged = group.next;
    if (group.random >= RANDOM_MIN) {
        group.span.end = find_padded_end(in, group.next, group.span.end);
        group.span = with_edges(r, group.span);
    }
    if (group.random < RANDOM_MIN || group.span.end - group.span.begin < RUN_MIN ||
        group.odd * 100 < group.pairs * ODD_PERCENT)
        return i + 1;
    redact_span(r, group.span);
    return group.span.end;
}

/** Looks at the character at `i` and masks what begins with it; returns where to go on. */
static size_t redact_at(Redactor *r, size_t i)
{
    const Decoded *in = &r->in;
    size_t next;

    if (in->text[i] == ':' && in->count - i > 2 && in->text[i + 1] == '/' && in->text[i + 2] == '/')
        return redact_userinfo(r, i);
    if (in->text[i] == ':' || in->text[i] == '=')
        return redact_pair(r, i);
    if (!is_piece_char(in, i) || (i > 0 && is_piece_char(in, i - 1)))
        return i + 1;
    next = is_in(in->text[i], "bB") ? redact_bearer(r, i) : i;
    if (next > i)
        return next;
    return i < r->judged ? i + 1 : redact_run(r, i);
}

/** The bytes as a string, a NUL among them as \x00, so that nothing behind it gets lost. */
static char *without_nul(GString *text)
{
    if (memchr(text->str, '\0', text->len) != NULL) {
        GString *escaped = g_string_sized_new(text->len + 1);

        for (size_t i = 0; i < text->len; i++) {
            if (text->str[i] == '\0')
                g_string_append(escaped, "\\x00");
            else
                g_string_append_c(escaped, text->str[i]);
        }
        g_string_free(text, TRUE);
        text = escaped;
    }
    return g_string_free(text, FALSE);
}

static void init_redactor(Redactor *r, const char *bytes, size_t length, uint64_t salt)
{
    *r = (Redactor){.out = g_string_sized_new(length + 1), .salt = salt};
    decode(&r->in, bytes, length);
    for (size_t i = G_N_ELEMENTS(name_rules); i > 0; i--)
        r->rules[name_rules[i - 1].text[0] - 'a'] = &name_rules[i - 1];
}

char *wsl_redact(const char *bytes, size_t length, uint64_t salt)
{
    Redactor r;

    if (length == 0)
        return g_strdup("");
    init_redactor(&r, bytes, length, salt);
    for (size_t i = 0; i < r.in.count;)
        i = redact_at(&r, i);
    g_string_append_len(r.out, r.in.bytes + r.copied, (gssize)(length - r.copied));
    g_free(r.in.text);
    g_free(r.in.level);
    g_free(r.in.at);
    return without_nul(r.out);
}

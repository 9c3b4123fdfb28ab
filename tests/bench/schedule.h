/*
 * What happens next: events taken in the order of their times, from a heap with four children a node.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WSL_BENCH_SCHEDULE_H
#define WSL_BENCH_SCHEDULE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct event {
    uint64_t time; /* nanoseconds since the epoch */
    uint32_t conn; /* index of the connection it belongs to */
    uint32_t arg;  /* meaning depends on the lane */
    unsigned lane;
};

struct schedule {
    struct event *events;
    size_t count, room;
};

static void schedule_add(struct schedule *s, struct event event)
{
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 1024;
        s->events = g_renew(struct event, s->events, s->room);
    }
    size_t at = s->count++;
    while (at > 0 && s->events[(at - 1) / 4].time > event.time) {
        s->events[at] = s->events[(at - 1) / 4];
        at = (at - 1) / 4;
    }
    s->events[at] = event;
}

static size_t schedule_earliest_child(const struct schedule *s, size_t node)
{
    size_t first = node * 4 + 1, best = first;
    for (size_t i = first + 1; i < first + 4 && i < s->count; i++) {
        if (s->events[i].time < s->events[best].time) {
            best = i;
        }
    }
    return best;
}

/* Takes the earliest event; false when there is none. */
static bool schedule_take(struct schedule *s, struct event *event)
{
    if (s->count == 0) {
        return false;
    }
    *event = s->events[0];
    struct event last = s->events[--s->count];
    size_t at = 0;
    while (at * 4 + 1 < s->count) {
        size_t child = schedule_earliest_child(s, at);
        if (s->events[child].time >= last.time) {
            break;
        }
        s->events[at] = s->events[child];
        at = child;
    }
    s->events[at] = last;
    return true;
}

#endif

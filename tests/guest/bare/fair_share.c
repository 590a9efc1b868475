/* SPDX-License-Identifier: MIT */
/*
 * The neighbour of a flood, as tests/guest/fair_share.c is, unmodified: small equal pieces of work,
 * counted while the flood sleeps and while it does not. No steal time is shown to it: a turn starts
 * where the clock has jumped.
 */
#include "../lib/flood_times.h"
#include "bare.h"

enum {
    WORDS = 128,
    TICKS_MS = 10000,
    JUMP_TICKS = 1000, /* no piece takes so long */
    ALONE_FROM_MS = 50,
    ALONE_MS = 20,
    FROM_MS = FLOOD_BEGIN_MS + 25,
    LEAST_MS = 120,
    MOST_MS = 180,
};

static u64 words[WORDS];
static u64 pieces;

static u64 sum_of(void)
{
    volatile u64 *each = words;
    u64 sum = 0;

    for (u64 i = 0; i < WORDS; i++)
        sum += each[i] ^ i << 7;
    return sum;
}

struct moment {
    u64 time, pieces;
};

/* Works until that time; sooner, once `least` is over, at the start of a turn. */
static struct moment work_until(u64 least, u64 most, u64 expected, u64 *turns)
{
    u64 last = time_now(), now;

    for (now = last; now < most; now = time_now()) {
        if (now - last > JUMP_TICKS) {
            (*turns)++;
            if (now >= least)
                break;
        }
        last = now;
        if (sum_of() != expected)
            fail("sum", "piece %lu", pieces);
        pieces++;
    }
    return (struct moment){now, pieces};
}

void bare_main(void)
{
    struct moment alone[2], flooded[2];
    u64 turns = 0, expected, end;

    for (u64 i = 0; i < WORDS; i++)
        words[i] = i * 0xff51afd7ed558ccdUL;
    expected = sum_of();
    if (time_now() >= (u64)ALONE_FROM_MS * TICKS_MS)
        fail("start", "it is late: %lu", time_now());
    alone[0] = work_until(~0UL, (u64)ALONE_FROM_MS * TICKS_MS, expected, &turns);
    end = alone[0].time + (u64)ALONE_MS * TICKS_MS;
    alone[1] = work_until(~0UL, end, expected, &turns);
    flooded[0] = work_until((u64)FROM_MS * TICKS_MS, (u64)(FROM_MS + MOST_MS - LEAST_MS) * TICKS_MS,
                            expected, &turns);
    turns = 0;
    end = flooded[0].time + (u64)LEAST_MS * TICKS_MS;
    flooded[1] = work_until(end, (u64)(FROM_MS + MOST_MS) * TICKS_MS, expected, &turns);
    bare_printf("SHARE alone %lu %lu flooded %lu %lu turns %lu", alone[1].time - alone[0].time,
                alone[1].pieces - alone[0].pieces, flooded[1].time - flooded[0].time,
                flooded[1].pieces - flooded[0].pieces, turns);
}

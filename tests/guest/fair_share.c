/* SPDX-License-Identifier: MIT */
/*
 * The neighbour of a flood (flood.c): how much of its own work does it get done while both could
 * run, against what it does alone? Its work is small equal pieces, each with a sum that must come
 * out right. It masks interrupts and makes no call meanwhile.
 *
 * It measures from the start of one of its turns to the start of another: then as many turns of the
 * flood are in the span as of its own. A turn starts when the steal time that it is shown has
 * grown. Where there are none it measures between two times.
 *
 * Prints `SHARE alone TICKS PIECES flooded TICKS PIECES turns N`; judges sums only.
 */
#include "flood.h"

enum {
    WORDS = 128,
    ALONE_FROM_MS = 50,
    ALONE_MS = 20,
    FROM_MS = FLOOD_BEGIN_MS + 25,
    LEAST_MS = 120, /* of flood: six turns of each of two VMs, if both always run */
    MOST_MS = 180,
};
_Static_assert(FROM_MS + MOST_MS < FLOOD_END_MS, "the flood lasts");

static struct shared_page shared __attribute__((aligned(4096)));
static u64 words[WORDS];
static u64 pieces;

static u64 expected_sum(void)
{
    u64 sum = 0;

    for (u64 i = 0; i < WORDS; i++)
        sum += words[i] ^ i << 7;
    return sum;
}

static void piece(u64 expected)
{
    volatile u64 *each = words;
    u64 sum = 0;

    for (u64 i = 0; i < WORDS; i++)
        sum += each[i] ^ i << 7;
    if (sum != expected)
        fail("sum", "piece %lu gave %lx", pieces, sum);
    pieces++;
}

struct moment {
    u64 time, pieces;
};

/* Works until that time; sooner, once `least` is over, at the start of a turn. */
static struct moment work_until(u64 least, u64 most, u64 expected, u64 *turns)
{
    u64 stolen = READ_ONCE(shared.steal_time), now;

    for (now = time_now(); now < most; now = time_now()) {
        piece(expected);
        if (READ_ONCE(shared.steal_time) == stolen)
            continue;
        stolen = READ_ONCE(shared.steal_time);
        (*turns)++;
        if (time_now() >= least)
            break;
    }
    return (struct moment){time_now(), pieces};
}

void guest_main(void)
{
    struct moment alone[2], flooded[2];
    u64 turns = 0, expected, end;

    must("shared page", candor_shared_page(pointer_to_gpa(&shared)));
    for (u64 i = 0; i < WORDS; i++)
        words[i] = i * 0xff51afd7ed558ccdUL;
    expected = expected_sum();
    if (time_now() >= flood_time(ALONE_FROM_MS))
        fail("start", "it is late: %lu", time_now());
    alone[0] = work_until(0, flood_time(ALONE_FROM_MS), expected, &turns);
    end = alone[0].time + flood_time(ALONE_MS);
    alone[1] = work_until(end, end, expected, &turns);
    flooded[0] = work_until(flood_time(FROM_MS), flood_time(FROM_MS + MOST_MS - LEAST_MS), expected,
                            &turns);
    turns = 0;
    end = flooded[0].time + flood_time(LEAST_MS);
    flooded[1] = work_until(end, flood_time(FROM_MS + MOST_MS), expected, &turns);
    guest_printf("SHARE alone %lu %lu flooded %lu %lu turns %lu", alone[1].time - alone[0].time,
                 alone[1].pieces - alone[0].pieces, flooded[1].time - flooded[0].time,
                 flooded[1].pieces - flooded[0].pieces, turns);
}

/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller's model: what each place reads and keeps, the choice of a source against
 * a plain search, and a line's way from its rise to its completion.
 */
#include "check.h"

#include "vdev/vplic.h"

enum {
    PENDING = 0x1000,
    ENABLE = 0x2000,
    ENABLE_STRIDE = 0x80,
    CONTEXT = 0x200000,
    CONTEXT_STRIDE = 0x1000,
    CLAIM = 4,
    RANDOM_STEPS = 30000,
};

static struct vplic plic;
static bool external;
static u64 seed = 1;

static u32 pick(u32 count)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (u32)(seed >> 33) % count;
}

static void set_external(void *context, u32 number, bool level)
{
    (void)context;
    (void)number;
    assert_int_not_equal(external, level);
    external = level;
}

static u32 get(u64 offset)
{
    u64 value;

    assert_true(vplic_ops.read(&plic, offset, 4, &value));
    assert_true(value <= 0xffffffff);
    return (u32)value;
}

static void put(u64 offset, u32 value)
{
    assert_true(vplic_ops.write(&plic, offset, 4, value));
}

static u64 place(u32 context, u32 offset)
{
    return CONTEXT + (u64)context * CONTEXT_STRIDE + offset;
}

static int start(void **state)
{
    (void)state;
    memset(&plic, 0, sizeof(plic));
    plic.harts = 1;
    plic.outputs[0].set = set_external;
    external = false;
    vplic_reset(&plic);
    return 0;
}

/* A source on, for S. */
static void enable(u32 source, u32 priority)
{
    u64 word = ENABLE + ENABLE_STRIDE + source / 32 * 4;

    put((u64)source * 4, priority);
    put(word, get(word) | 1U << source % 32);
}

static void test_each_place_keeps_the_bits_that_it_has(void **state)
{
    (void)state;
    for (u64 offset = 0; offset < VPLIC_BYTES;
         offset += offset < 0x3000 ? 4 : 0x1000 - offset % 4096) {
        bool priority = offset >= 4 && offset < 96 * 4;
        bool enables = offset >= ENABLE && offset < ENABLE + 2 * ENABLE_STRIDE &&
                       offset % 0x80 < 12;
        bool threshold = offset == CONTEXT || offset == CONTEXT + CONTEXT_STRIDE;
        u32 kept = priority || threshold ? 7 : enables ? (offset % 0x80 == 0 ? ~1U : ~0U) : 0;

        assert_int_equal(get(offset), 0);
        put(offset, ~0U);
        assert_int_equal(get(offset), kept);
        put(offset, 0);
        assert_int_equal(get(offset), 0);
    }
}

static void test_only_words_are_accessed(void **state)
{
    u64 value;

    (void)state;
    for (u32 bytes = 1; bytes <= 8; bytes *= 2) {
        assert_int_equal(vplic_ops.read(&plic, 4, bytes, &value), bytes == 4);
        assert_int_equal(vplic_ops.write(&plic, 4, bytes, 1), bytes == 4);
    }
}

static void test_a_line_goes_from_its_rise_to_its_completion(void **state)
{
    (void)state;
    enable(10, 1);
    vplic_line(&plic, 10, true);
    assert_true(external);
    assert_int_equal(get(PENDING), 1 << 10);
    assert_int_equal(get(place(1, CLAIM)), 10);
    assert_false(external);
    assert_int_equal(get(PENDING), 0);
    assert_int_equal(get(place(1, CLAIM)), 0); /* it is claimed already */
    put(place(1, CLAIM), 10);
    assert_true(external); /* the line is up still */
    assert_int_equal(get(place(1, CLAIM)), 10);
    vplic_line(&plic, 10, false);
    put(place(1, CLAIM), 10);
    assert_false(external);
    assert_int_equal(get(place(1, CLAIM)), 0);
}

static void test_a_short_pulse_stays_pending(void **state)
{
    (void)state;
    vplic_line(&plic, 33, true);
    vplic_line(&plic, 33, false);
    assert_int_equal(get(PENDING + 4), 2);
    assert_false(external);
    enable(33, 7);
    assert_true(external);
    assert_int_equal(get(place(1, CLAIM)), 33);
    put(place(1, CLAIM), 33);
    assert_false(external);
}

static void test_the_highest_priority_comes_first_then_the_lowest_number(void **state)
{
    static const u32 order[] = {64, 3, 95, 5};

    (void)state;
    enable(5, 1);
    enable(95, 2);
    enable(3, 2);
    enable(64, 7);
    enable(9, 0); /* never */
    for (u32 source = 0; source < VPLIC_SOURCES; source++)
        vplic_line(&plic, source, true);
    for (u32 i = 0; i < ARRAY_SIZE(order); i++)
        assert_int_equal(get(place(1, CLAIM)), order[i]);
    assert_false(external);
    assert_int_equal(get(place(1, CLAIM)), 0);
}

static void test_the_threshold_holds_back_what_is_not_above_it(void **state)
{
    (void)state;
    enable(1, 3);
    vplic_line(&plic, 1, true);
    for (u32 threshold = 0; threshold < 16; threshold++) {
        put(place(1, 0), threshold);
        assert_int_equal(external, threshold % 8 < 3);
    }
    put(place(1, 0), 3);
    assert_int_equal(get(place(1, CLAIM)), 0);
}

static void test_the_contexts_are_apart(void **state)
{
    (void)state;
    put(4, 1);
    put(ENABLE, 2);
    vplic_line(&plic, 1, true);
    assert_false(external);
    assert_int_equal(get(place(1, CLAIM)), 0);
    assert_int_equal(get(place(0, CLAIM)), 1);
    put(ENABLE + ENABLE_STRIDE, 2);
    assert_false(external); /* M has it */
    put(place(1, CLAIM), 1);
    assert_true(external);
}

static void test_sources_that_are_none_are_ignored(void **state)
{
    (void)state;
    for (u32 word = 0; word < VPLIC_WORDS; word++)
        put(ENABLE + ENABLE_STRIDE + word * 4, ~0U);
    for (u32 source = 0; source < VPLIC_SOURCES; source++)
        put((u64)source * 4, 1);
    vplic_line(&plic, 0, true);
    vplic_line(&plic, VPLIC_SOURCES, true);
    vplic_line(&plic, ~0U, true);
    put(place(1, CLAIM), VPLIC_SOURCES);
    put(place(1, CLAIM), ~0U);
    assert_false(external);
    for (u32 word = 0; word < VPLIC_WORDS; word++)
        assert_int_equal(get(PENDING + word * 4), 0);
}

static void test_a_reset_turns_all_off_and_keeps_the_wires(void **state)
{
    (void)state;
    enable(2, 1);
    vplic_line(&plic, 2, true);
    assert_int_equal(get(place(1, CLAIM)), 2);
    vplic_reset(&plic);
    assert_false(external);
    assert_int_equal(get(8), 0);
    enable(2, 1);
    assert_true(external);
}

/* Against a search that goes by the words of the specification. */
static void test_what_happens_at_random_agrees_with_a_plain_search(void **state)
{
    static bool line[VPLIC_SOURCES], pending[VPLIC_SOURCES], claimed[VPLIC_SOURCES];
    static u32 priority[VPLIC_SOURCES];
    static bool on[2][VPLIC_SOURCES];
    u32 threshold[2] = {0, 0};

    (void)state;
    for (u32 step = 0; step < RANDOM_STEPS; step++) {
        u32 source = 1 + pick(VPLIC_SOURCES - 1), context = pick(2), expected[2] = {0, 0};

        switch (pick(6)) {
        case 0:
            line[source] = pick(2);
            vplic_line(&plic, source, line[source]);
            break;
        case 1:
            priority[source] = pick(8);
            put((u64)source * 4, priority[source]);
            break;
        case 2:
            on[context][source] = !on[context][source];
            put(ENABLE + (u64)context * ENABLE_STRIDE + source / 32 * 4,
                get(ENABLE + (u64)context * ENABLE_STRIDE + source / 32 * 4) ^ 1U << source % 32);
            break;
        case 3:
            threshold[context] = pick(3);
            put(place(context, 0), threshold[context]);
            break;
        case 4:
            claimed[source] = false;
            put(place(context, CLAIM), source);
            break;
        default:
            break;
        }
        for (u32 i = 1; i < VPLIC_SOURCES; i++)
            pending[i] = pending[i] || (line[i] && !claimed[i]);
        for (u32 c = 0; c < 2; c++)
            for (u32 i = 1; i < VPLIC_SOURCES; i++)
                if (pending[i] && !claimed[i] && on[c][i] && priority[i] > threshold[c] &&
                    (expected[c] == 0 || priority[i] > priority[expected[c]]))
                    expected[c] = i;
        assert_int_equal(external, expected[1] != 0);
        if (pick(3) == 0) {
            assert_int_equal(get(place(context, CLAIM)), expected[context]);
            pending[expected[context]] = false;
            claimed[expected[context]] = true;
        }
    }
}

#define fresh(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(test_each_place_keeps_the_bits_that_it_has),
        fresh(test_only_words_are_accessed),
        fresh(test_a_line_goes_from_its_rise_to_its_completion),
        fresh(test_a_short_pulse_stays_pending),
        fresh(test_the_highest_priority_comes_first_then_the_lowest_number),
        fresh(test_the_threshold_holds_back_what_is_not_above_it),
        fresh(test_the_contexts_are_apart),
        fresh(test_sources_that_are_none_are_ignored),
        fresh(test_a_reset_turns_all_off_and_keeps_the_wires),
        fresh(test_what_happens_at_random_agrees_with_a_plain_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

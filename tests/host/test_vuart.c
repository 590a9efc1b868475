/* SPDX-License-Identifier: MIT */
/*
 * The serial port's model: each register, each interrupt with what raises and what ends it, both
 * FIFOs at their edges, loopback, and a line that takes nothing for a while.
 */
#include "check.h"

#include "vdev/vuart.h"

enum {
    DATA,
    IER,
    IIR,
    LCR,
    MCR,
    LSR,
    MSR,
    SCRATCH,
    FCR = IIR,
    LINE_BYTES = 256,
    IDLE_LSR = 0x60,
    FIFOS = 0xc0,
};

static struct vuart uart;
static u8 sent[LINE_BYTES], typed[LINE_BYTES];
static u32 sent_count, typed_count, typed_read, room, changes;

static u32 port_write(void *context, const u8 *bytes, u32 count)
{
    (void)context;
    count = min(count, room);
    assert_true(sent_count + count <= LINE_BYTES);
    memcpy(sent + sent_count, bytes, count);
    sent_count += count;
    room -= count;
    return count;
}

static u32 port_read(void *context, u8 *bytes, u32 size)
{
    u32 count = min(size, typed_count - typed_read);

    (void)context;
    memcpy(bytes, typed + typed_read, count);
    typed_read += count;
    return count;
}

static void line_set(void *context, u32 number, bool level)
{
    (void)context;
    (void)number;
    (void)level;
    changes++;
}

static int start(void **state)
{
    static const struct vuart_port port = {.write = port_write, .read = port_read};

    (void)state;
    memset(&uart, 0, sizeof(uart));
    uart.port = &port;
    uart.line.set = line_set;
    vuart_reset(&uart);
    sent_count = typed_count = typed_read = changes = 0;
    room = LINE_BYTES;
    return 0;
}

static u8 get(u32 offset)
{
    u64 value;

    assert_true(vuart_ops.read(&uart, offset, 1, &value));
    assert_true(value <= 0xff);
    return (u8)value;
}

static void put(u32 offset, u64 value)
{
    assert_true(vuart_ops.write(&uart, offset, 1, value));
}

static void type(u32 count)
{
    typed_count = typed_read = 0;
    for (u32 i = 0; i < count; i++)
        typed[typed_count++] = (u8)('a' + i);
    vuart_service(&uart);
}

static void test_registers_after_reset(void **state)
{
    static const u8 values[] = {
        [DATA] = 0, [IER] = 0, [IIR] = 1, [LCR] = 0, [MCR] = 8, [LSR] = IDLE_LSR, [MSR] = 0xb0};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(values); i++)
        assert_int_equal(get(i), values[i]);
    assert_false(uart.line.level);
    put(LCR, 0x80);
    assert_int_equal(get(DATA), 12);
    assert_int_equal(get(IER), 0);
}

static void test_each_register_keeps_the_bits_that_it_has(void **state)
{
    (void)state;
    for (u32 value = 0; value < 256; value++) {
        put(SCRATCH, value);
        assert_int_equal(get(SCRATCH), value);
        put(LCR, value);
        assert_int_equal(get(LCR), value);
        put(MCR, value);
        assert_int_equal(get(MCR), value & 0x1f);
        put(LSR, value);
        put(MSR, value);
        put(LCR, 0x80);
        put(DATA, value);
        put(IER, value ^ 0xff);
        assert_int_equal(get(DATA), value);
        assert_int_equal(get(IER), value ^ 0xff);
        put(LCR, 3);
        put(IER, value);
        assert_int_equal(get(IER), value & 0xf);
    }
    put(IER, 0);
    put(MCR, 8);
    assert_int_equal(get(LSR), IDLE_LSR);
    assert_int_equal(get(MSR), 0xb0);
    assert_int_equal(sent_count, 0);
}

static void test_what_is_written_goes_out_in_order(void **state)
{
    (void)state;
    for (u32 fifos = 0; fifos < 2; fifos++) {
        sent_count = 0;
        put(FCR, fifos);
        for (u32 i = 0; i < 100; i++)
            put(DATA, i);
        assert_int_equal(sent_count, 100);
        for (u32 i = 0; i < 100; i++)
            assert_int_equal(sent[i], i);
    }
}

static void test_a_full_line_keeps_sixteen_bytes_and_says_when_it_has_room(void **state)
{
    (void)state;
    put(FCR, 1);
    put(IER, 2);
    assert_true(uart.line.level);
    room = 4;
    for (u32 i = 0; i < 4; i++)
        put(DATA, i);
    assert_int_equal(get(LSR), IDLE_LSR);
    for (u32 i = 4; i < 20; i++)
        put(DATA, i);
    assert_int_equal(get(LSR), 0);
    assert_false(uart.line.level);
    assert_int_equal(get(IIR), FIFOS | 1);
    put(DATA, 20); /* in place of 4 */
    room = 6;
    vuart_service(&uart);
    assert_int_equal(get(LSR), 0);
    room = LINE_BYTES;
    vuart_service(&uart);
    assert_int_equal(get(LSR), IDLE_LSR);
    assert_true(uart.line.level);
    assert_int_equal(sent_count, 20);
    for (u32 i = 0; i < 20; i++)
        assert_int_equal(sent[i], i < 4 ? i : i + 1);
}

static void test_that_the_transmitter_is_empty_is_told_once(void **state)
{
    (void)state;
    put(IER, 2);
    assert_true(uart.line.level);
    assert_int_equal(get(IIR), 2);
    assert_int_equal(get(IIR), 1);
    assert_false(uart.line.level);
    put(DATA, 'x');
    assert_int_equal(get(IIR), 2);
    put(IER, 0);
    put(IER, 2); /* allowing it asks again */
    assert_int_equal(get(IIR), 2);
    put(FCR, 1);
    assert_int_equal(get(IIR), FIFOS | 2);
    put(FCR, 5);
    assert_int_equal(get(IIR), FIFOS | 2);
    changes = 0;
    put(IER, 2);
    put(DATA, 'y');
    put(DATA, 'z');
    assert_int_equal(changes, 1); /* no dips between bytes that leave at once */
}

static void test_input_is_told_at_its_trigger_and_below_it_as_a_timeout(void **state)
{
    static const u8 triggers[] = {1, 4, 8, 14};

    (void)state;
    put(IER, 1);
    for (u32 setting = 0; setting < 4; setting++)
        for (u32 count = 0; count <= 16; count++) {
            put(FCR, 3 | setting << 6);
            type(count);
            assert_int_equal(uart.line.level, count > 0);
            assert_int_equal(get(IIR), FIFOS | (count == 0                   ? 1
                                                : count >= triggers[setting] ? 4
                                                                             : 12));
            for (u32 i = 0; i < count; i++) {
                assert_int_equal(get(LSR), IDLE_LSR | 1);
                assert_int_equal(get(DATA), 'a' + i);
            }
            assert_int_equal(get(LSR), IDLE_LSR);
            assert_false(uart.line.level);
        }
}

static void test_input_waits_outside_while_there_is_no_room(void **state)
{
    (void)state;
    type(20);
    assert_int_equal(typed_read, 1); /* FIFOs are off */
    assert_int_equal(get(DATA), 'a');
    assert_int_equal(typed_read, 2);
    put(FCR, 1); /* empties what is in */
    assert_int_equal(get(LSR), IDLE_LSR);
    assert_int_equal(typed_read, 18);
    for (u32 i = 2; i < 20; i++)
        assert_int_equal(get(DATA), 'a' + i);
    assert_int_equal(get(DATA), get(SCRATCH)); /* 0 */
}

static void test_loopback_returns_bytes_and_cuts_the_line(void **state)
{
    (void)state;
    put(FCR, 1);
    put(MCR, 0x10);
    type(1);
    put(IER, 5);
    for (u32 i = 0; i < 17; i++) {
        put(DATA, i);
        assert_int_equal(get(IIR), FIFOS | (i == 16 ? 6 : 4));
    }
    assert_int_equal(get(LSR), IDLE_LSR | 3); /* overrun, told once */
    assert_int_equal(get(LSR), IDLE_LSR | 1);
    for (u32 i = 0; i < 16; i++)
        assert_int_equal(get(DATA), i);
    assert_int_equal(get(LSR), IDLE_LSR);
    assert_int_equal(sent_count + typed_read, 0);
    for (u32 control = 0; control < 16; control++) {
        static const u8 inputs[] = {0x20, 0x10, 0x40, 0x80}; /* DTR, RTS, OUT1, OUT2 come back */
        u8 expected = 0;

        for (u32 bit = 0; bit < 4; bit++)
            expected |= (control >> bit & 1) != 0 ? inputs[bit] : 0;
        put(MCR, 0x10 | control);
        assert_int_equal(get(MSR), expected);
    }
    put(MCR, 0);
    get(LSR);
    assert_int_equal(get(DATA), 'a');
}

static void test_interrupts_have_their_order(void **state)
{
    (void)state;
    put(MCR, 0x10);
    put(IER, 7);
    put(DATA, 'x');
    put(DATA, 'y'); /* overruns */
    assert_int_equal(get(IIR), 6);
    get(LSR);
    assert_int_equal(get(IIR), 4);
    get(DATA);
    assert_int_equal(get(IIR), 2);
    assert_int_equal(get(IIR), 1);
    assert_false(uart.line.level);
}

static void test_reset_is_power_on(void **state)
{
    (void)state;
    put(IER, 2);
    put(LCR, 0x80);
    put(FCR, 1);
    assert_true(uart.line.level);
    vuart_reset(&uart);
    assert_false(uart.line.level);
    test_registers_after_reset(state);
}

#define fresh(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(test_registers_after_reset),
        fresh(test_each_register_keeps_the_bits_that_it_has),
        fresh(test_what_is_written_goes_out_in_order),
        fresh(test_a_full_line_keeps_sixteen_bytes_and_says_when_it_has_room),
        fresh(test_that_the_transmitter_is_empty_is_told_once),
        fresh(test_input_is_told_at_its_trigger_and_below_it_as_a_timeout),
        fresh(test_input_waits_outside_while_there_is_no_room),
        fresh(test_loopback_returns_bytes_and_cuts_the_line),
        fresh(test_interrupts_have_their_order),
        fresh(test_reset_is_power_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

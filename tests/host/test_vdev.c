/* SPDX-License-Identifier: MIT */
/*
 * The bus of a guest's devices, the test finisher, and Candor's own drivers of the real devices
 * (hypervisor/driver/), which must work with the models as they do with what they were written for.
 */
#include "check.h"

#include "vdev/vfinisher.h"
#include "vdev/vplic.h"
#include "vdev/vrtc.h"
#include "vdev/vuart.h"

enum {
    FINISHER_BASE = 0x100000,
    RTC_BASE = 0x101000,
    PLIC_BASE = 0xc000000,
    UART_BASE = 0x10000000,
    UART_SOURCE = 10,
    TEXT_BYTES = 64,
};

static struct vdev_bus bus;

/* What the drivers have in place of driver/mmio.h: an access that the bus refuses fails the test.
 */
#define DRIVER_MMIO_H

static u64 mmio_read(u64 address, u32 bytes)
{
    u64 value;

    assert_true(vdev_bus_read(&bus, address, bytes, &value));
    return value;
}

static u8 mmio_read8(uintptr_t address)
{
    return (u8)mmio_read(address, 1);
}

static u32 mmio_read32(uintptr_t address)
{
    return (u32)mmio_read(address, 4);
}

static void mmio_write8(uintptr_t address, u8 value)
{
    assert_true(vdev_bus_write(&bus, address, 1, value));
}

static void mmio_write32(uintptr_t address, u32 value)
{
    assert_true(vdev_bus_write(&bus, address, 4, value));
}

#include "driver/finisher.c"
#include "driver/plic.c"
#include "driver/rtc.c"
#include "driver/uart16550.c"

/* ---- the machine around */

static struct {
    struct vfinisher finisher;
    struct vrtc rtc;
    u64 now_ns;
    struct vplic plic;
    struct vuart uart;
    char shown[TEXT_BYTES];
    u32 shown_count;
    u32 room; /* bytes that the line takes */
    const char *typed;
    bool external;
    u32 orders, order, status;
} machine;

static u32 port_write(void *context, const u8 *bytes, u32 count)
{
    (void)context;
    count = min(count, machine.room);
    assert_true(machine.shown_count + count < TEXT_BYTES);
    memcpy(machine.shown + machine.shown_count, bytes, count);
    machine.shown_count += count;
    machine.room -= count;
    return count;
}

static u32 port_read(void *context, u8 *bytes, u32 size)
{
    u32 count = min(size, (u32)strlen(machine.typed));

    (void)context;
    memcpy(bytes, machine.typed, count);
    machine.typed += count;
    return count;
}

static void set_external(void *context, u32 number, bool level)
{
    (void)context;
    (void)number;
    machine.external = level;
}

static void finish(void *context, enum vfinisher_order order, u32 status)
{
    (void)context;
    machine.orders++;
    machine.order = order;
    machine.status = status;
}

/* It goes on at each look. */
static u64 now_ns(void)
{
    return machine.now_ns += 1UL << 31;
}

static int start(void **state)
{
    static const struct vuart_port port = {.write = port_write, .read = port_read};

    (void)state;
    memset(&machine, 0, sizeof(machine));
    bus = (struct vdev_bus){0};
    machine.typed = "";
    machine.room = TEXT_BYTES;
    machine.finisher.finish = finish;
    machine.plic.harts = 1;
    machine.plic.outputs[0].set = set_external;
    machine.uart.port = &port;
    machine.uart.line = (struct vdev_line){vplic_line, &machine.plic, UART_SOURCE, false};
    vplic_reset(&machine.plic);
    vuart_reset(&machine.uart);
    assert_true(
        vdev_bus_add(&bus, FINISHER_BASE, VFINISHER_BYTES, &vfinisher_ops, &machine.finisher));
    machine.rtc.now_ns = now_ns;
    assert_true(vdev_bus_add(&bus, RTC_BASE, VRTC_BYTES, &vrtc_ops, &machine.rtc));
    assert_true(vdev_bus_add(&bus, PLIC_BASE, VPLIC_BYTES, &vplic_ops, &machine.plic));
    assert_true(vdev_bus_add(&bus, UART_BASE, VUART_BYTES, &vuart_ops, &machine.uart));
    return 0;
}

/* ---- the bus */

static void test_a_region_that_cannot_be_is_refused(void **state)
{
    static const u64 bad[][2] = {
        {0x2000, 0}, {UART_BASE, 1},   {UART_BASE - 1, 2}, {UART_BASE + VUART_BYTES - 1, 100},
        {0, ~0UL},   {~0UL - 10, 100},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(vdev_bus_add(&bus, bad[i][0], bad[i][1], &vuart_ops, &machine.uart));
    while (bus.count < VDEV_REGIONS_MAX)
        assert_true(
            vdev_bus_add(&bus, 0x20000000 + (u64)bus.count * 8, 8, &vuart_ops, &machine.uart));
    assert_false(vdev_bus_add(&bus, 0x30000000, 8, &vuart_ops, &machine.uart));
}

static void test_only_aligned_accesses_within_a_region_reach_a_device(void **state)
{
    u64 value;

    (void)state;
    for (u32 bytes = 0; bytes < 20; bytes++)
        for (u64 at = UART_BASE - 8; at < UART_BASE + VUART_BYTES + 8; at++) {
            bool fits = (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) && at % bytes == 0 &&
                        at >= UART_BASE && at + bytes <= UART_BASE + VUART_BYTES;

            assert_int_equal(vdev_bus_read(&bus, at, bytes, &value), fits);
            assert_int_equal(vdev_bus_write(&bus, at, bytes, 0), fits);
        }
    assert_false(vdev_bus_read(&bus, 0, 8, &value));
    assert_false(vdev_bus_read(&bus, ~0UL - 7, 8, &value));
    assert_null(vdev_bus_find(&bus, UART_BASE + VUART_BYTES));
    assert_ptr_equal(vdev_bus_find(&bus, UART_BASE + 7)->device, &machine.uart);
}

static bool wide_read(void *device, u64 offset, u32 bytes, u64 *value)
{
    (void)device;
    (void)offset;
    (void)bytes;
    *value = 0x1122334455667788UL;
    return true;
}

static bool wide_write(void *device, u64 offset, u32 bytes, u64 value)
{
    (void)offset;
    (void)bytes;
    *(u64 *)device = value;
    return true;
}

static void test_a_value_has_no_more_bytes_than_the_access(void **state)
{
    static const struct vdev_ops ops = {.read = wide_read, .write = wide_write};
    static const u64 expected[] = {
        [1] = 0x88, [2] = 0x7788, [4] = 0x55667788, [8] = 0x1122334455667788};
    u64 device = 0, value;

    (void)state;
    assert_true(vdev_bus_add(&bus, 0x1000, 8, &ops, &device));
    for (u32 bytes = 1; bytes <= 8; bytes *= 2) {
        assert_true(vdev_bus_read(&bus, 0x1000, bytes, &value));
        assert_true(value == expected[bytes]);
        assert_true(vdev_bus_write(&bus, 0x1000, bytes, 0x1122334455667788UL));
        assert_true(device == expected[bytes]);
    }
}

/* ---- the finisher */

static void test_the_finishers_words_have_their_meaning_and_no_others_any(void **state)
{
    (void)state;
    for (u32 low = 0; low < 1 << 16; low++) {
        bool means = low == 0x3333 || low == 0x5555 || low == 0x7777;

        machine.orders = 0;
        assert_true(vdev_bus_write(&bus, FINISHER_BASE, 4, 0x120000 | low));
        assert_int_equal(machine.orders, means);
        assert_true(vdev_bus_write(&bus, FINISHER_BASE + 4, 4, low));
        assert_int_equal(machine.orders, means);
        assert_true(vdev_bus_write(&bus, FINISHER_BASE, 2, low));
        assert_int_equal(machine.orders, means ? 2 : 0);
        if (low == 0x3333)
            assert_int_equal(machine.status, 0);
    }
    assert_true(vdev_bus_write(&bus, FINISHER_BASE, 4, 0x123333));
    assert_int_equal(machine.order, VFINISHER_FAIL);
    assert_int_equal(machine.status, 0x12);
    assert_true(vdev_bus_write(&bus, FINISHER_BASE, 4, 0x7777));
    assert_int_equal(machine.order, VFINISHER_RESET);
    assert_int_equal(mmio_read(FINISHER_BASE, 4), 0);
    assert_false(vdev_bus_write(&bus, FINISHER_BASE, 1, 0x55));
    assert_false(vdev_bus_write(&bus, FINISHER_BASE, 8, 0x5555));
}

/* ---- the clock */

static void test_a_word_of_the_clock_belongs_to_the_other(void **state)
{
    (void)state;
    machine.now_ns = 5UL << 32 | 0x7fffffff;
    assert_int_equal(mmio_read(RTC_BASE, 4), 0xffffffff);
    assert_int_equal(mmio_read(RTC_BASE + 4, 4), 5);
    assert_int_equal(mmio_read(RTC_BASE, 4), 0x7fffffff);
    assert_int_equal(mmio_read(RTC_BASE + 4, 4), 6);
    assert_int_equal(mmio_read(RTC_BASE + 4, 4), 6);
}

static void test_the_clock_is_only_read(void **state)
{
    u64 value;

    (void)state;
    for (u64 offset = 0; offset < VRTC_BYTES; offset += 4) {
        assert_true(vdev_bus_write(&bus, RTC_BASE + offset, 4, ~0UL));
        if (offset > 4)
            assert_int_equal(mmio_read(RTC_BASE + offset, 4), 0);
    }
    assert_int_equal(machine.now_ns, 0);
    assert_false(vdev_bus_read(&bus, RTC_BASE, 8, &value));
    assert_false(vdev_bus_read(&bus, RTC_BASE, 1, &value));
    assert_false(vdev_bus_write(&bus, RTC_BASE, 2, 1));
}

/* ---- Candor's drivers */

static void test_the_clocks_driver_reads_both_words(void **state)
{
    (void)state;
    machine.now_ns = 0x123456780fedcba9;
    assert_int_equal(rtc_read_ns(RTC_BASE), 0x123456788fedcba9);
}

static void test_the_finishers_driver_powers_off(void **state)
{
    struct finisher driver;

    (void)state;
    finisher_init(&driver, FINISHER_BASE);
    finisher_poweroff(&driver, 0);
    assert_int_equal(machine.order, VFINISHER_PASS);
    finisher_poweroff(&driver, 9);
    assert_int_equal(machine.order, VFINISHER_FAIL);
    assert_int_equal(machine.status, 9);
    assert_int_equal(machine.orders, 2);
}

static void test_the_uarts_driver_writes_and_reads(void **state)
{
    struct uart16550 driver;
    const u8 text[] = "twenty bytes of text";

    (void)state;
    machine.typed = "early";
    uart16550_init(&driver, UART_BASE, 0, 1);
    for (const char *c = "early"; *c != '\0'; c++)
        assert_int_equal(uart16550_read(&driver), *c);
    assert_int_equal(uart16550_read(&driver), -1);
    machine.typed = "later";
    vuart_service(&machine.uart);
    for (const char *c = "later"; *c != '\0'; c++)
        assert_int_equal(uart16550_read(&driver), *c);
    assert_int_equal(uart16550_write(&driver, text, 20), 16);
    assert_int_equal(uart16550_write(&driver, text + 16, 4), 4);
    assert_string_equal(machine.shown, "twenty bytes of text");
    uart16550_write_polled(&driver, '!');
    assert_string_equal(machine.shown + 20, "!");
}

static void test_the_uarts_driver_waits_for_room_by_interrupt(void **state)
{
    struct uart16550 driver;

    (void)state;
    uart16550_init(&driver, UART_BASE, 0, 1);
    machine.room = 3;
    assert_int_equal(uart16550_write(&driver, (const u8 *)"abcdef", 6), 6);
    assert_int_equal(uart16550_write(&driver, (const u8 *)"g", 1), 0);
    uart16550_want_room(&driver, true);
    assert_false(machine.uart.line.level);
    machine.room = TEXT_BYTES;
    vuart_service(&machine.uart);
    assert_true(machine.uart.line.level);
    assert_int_equal(uart16550_write(&driver, (const u8 *)"g", 1), 1);
    uart16550_want_room(&driver, false);
    assert_false(machine.uart.line.level);
    assert_string_equal(machine.shown, "abcdefg");
}

static void test_the_controllers_driver_gets_the_uarts_interrupt(void **state)
{
    struct uart16550 uart;
    struct plic driver;

    (void)state;
    uart16550_init(&uart, UART_BASE, 0, 1);
    plic_init(&driver, PLIC_BASE, VPLIC_SOURCES - 1);
    plic_context_init(&driver, VPLIC_CONTEXT_S);
    assert_int_equal(plic_claim(&driver, VPLIC_CONTEXT_S), 0);
    plic_source_enable(&driver, VPLIC_CONTEXT_S, UART_SOURCE, true);
    assert_false(machine.external);
    machine.typed = "xy";
    vuart_service(&machine.uart);
    assert_true(machine.external);
    assert_int_equal(plic_claim(&driver, VPLIC_CONTEXT_S), UART_SOURCE);
    assert_false(machine.external);
    assert_int_equal(uart16550_read(&uart), 'x');
    plic_complete(&driver, VPLIC_CONTEXT_S, UART_SOURCE);
    assert_true(machine.external); /* y is there still */
    assert_int_equal(plic_claim(&driver, VPLIC_CONTEXT_S), UART_SOURCE);
    assert_int_equal(uart16550_read(&uart), 'y');
    plic_complete(&driver, VPLIC_CONTEXT_S, UART_SOURCE);
    assert_false(machine.external);
    plic_source_enable(&driver, VPLIC_CONTEXT_S, UART_SOURCE, false);
    machine.typed = "z";
    vuart_service(&machine.uart);
    assert_false(machine.external);
}

#define on(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        on(test_a_region_that_cannot_be_is_refused),
        on(test_only_aligned_accesses_within_a_region_reach_a_device),
        on(test_a_value_has_no_more_bytes_than_the_access),
        on(test_the_finishers_words_have_their_meaning_and_no_others_any),
        on(test_a_word_of_the_clock_belongs_to_the_other),
        on(test_the_clock_is_only_read),
        on(test_the_clocks_driver_reads_both_words),
        on(test_the_finishers_driver_powers_off),
        on(test_the_uarts_driver_writes_and_reads),
        on(test_the_uarts_driver_waits_for_room_by_interrupt),
        on(test_the_controllers_driver_gets_the_uarts_interrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

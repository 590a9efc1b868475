/* SPDX-License-Identifier: MIT */
/*
 * The devices of an unmodified guest, from its loads and stores down to its memory, its disk's
 * medium, its console and its end.
 */
#include "check.h"

#include "arch/arch.h"
#include "blk_driver.h"
#include "core/event.h"
#include "core/vm.h"
#include "driver/disk.h"
#include "fake_disk.h"
#include "mem/frame.h"
#include "shadow_machine.h"
#include "shadow_processor.h"
#include "shadow_turn.h"
#include "virt/shadow/shadow.h"
#include "virt/virt.h"
#include "world.h"

#define FINISHER 0x100000UL
#define PLIC 0xc000000UL
#define PLIC_ENABLE (PLIC + 0x2080)
#define PLIC_CLAIM (PLIC + 0x201004)
#define UART 0x10000000UL
#define UART_SCRATCH (UART + 7)
#define DISK 0x10001000UL
#define NOTHING 0x10002000UL

enum {
    LB = 0x00050603, /* a2, (a0) */
    LW = 0x00052603,
    LBU = 0x00054603,
    LWU = 0x00056603,
    LW_X0 = 0x00052003,
    FLW = 0x00052607,
    LW_4 = 0x00452603, /* a2, 4(a0) */
    SB = 0x00b50023,   /* a1, (a0) */
    SW = 0x00b52023,
    SD = 0x00b53023,
    AMOADD = 0x00b5262f, /* a2, a1, (a0) */
    CSRW_SATP = 0x18059073,

    DISK_SOURCE = 1,
    UART_SOURCE = 10,
    LAST_FRAME = 1024 - 8 - 1, /* of the guest's memory, by guest_frame()'s numbers */
    LONG_BYTES = 16 * VBLK_SECTOR_BYTES,
};

static struct fake_disk *medium = &fake_disks[0];

/* ---- a machine, and its driver ---- */

static int machine_start(bool kernel_in_u)
{
    turn_make(kernel_in_u);
    world_shown[0] = 0;
    world_typed = "";
    fake_disks_reset();
    medium->there = true;
    for (u32 i = 0; i < sizeof(medium->data); i++)
        medium->data[i] = (u8)(i / VBLK_SECTOR_BYTES + i * 7);
    fake_disks_start();
    vm->disk = disk_claim(0, vm);
    shadow_machine_start(vm);
    return 0;
}

static int start(void **state)
{
    (void)state;
    return machine_start(false);
}

static int start_in_u(void **state)
{
    (void)state;
    return machine_start(true);
}

static u32 disk_get(u64 offset)
{
    assert_true(turn_load(LW, DISK + offset));
    return (u32)*turn_register(A2);
}

static void disk_put(u64 offset, u32 value)
{
    assert_true(turn_store(SW, DISK + offset, value));
}

/* The machine's disk does what it was asked for. */
static void medium_does(void)
{
    assert_true(fake_disk_do(medium, 0));
    shadow_events(vcpu, EVENT_DISK);
}

static bool disk_serve(void)
{
    bool more = vm->shadow->machine.disk.more;

    if (vm->shadow->machine.disk.begun) {
        medium_does();
        return true;
    }
    if (more)
        shadow_events(vcpu, EVENT_TIMER);
    return more;
}

static int start_driver(void **state)
{
    struct blk_place here = {.get = disk_get, .put = disk_put, .serve = disk_serve};

    start(state);
    blk_start(state);
    here.ram = arch_frame_bytes(p2m_lookup(&vm->p2m, BLK_RAM_BASE >> FRAME_SHIFT));
    blk_use(&here);
    blk_set_up(QUEUE, DESCRIPTORS, AVAILABLE, USED);
    return 0;
}

static void check_refused(bool went_on, u32 cause, u64 address)
{
    assert_false(went_on);
    assert_int_equal(vcpu->arch.trap_cause, cause);
    assert_int_equal(vcpu->arch.trap_value, address);
    assert_int_equal(vcpu->arch.trap_pc, TURN_CODE);
}

static void source_enable(u32 source)
{
    assert_true(turn_store(SW, PLIC + (u64)source * 4, 1));
    assert_true(turn_store(SW, PLIC_ENABLE, 1U << source));
}

/* ---- loads and stores ---- */

static void test_each_device_is_where_the_machine_has_it(void **state)
{
    (void)state;
    assert_true(turn_load(LW, DISK));
    assert_int_equal(*turn_register(A2), 0x74726976);
    assert_true(turn_store(SB, UART_SCRATCH, 0x5a));
    assert_int_equal(vm->shadow->machine.uart.scratch, 0x5a);
    assert_true(turn_store(SW, PLIC + 4 * UART_SOURCE, 3));
    assert_int_equal(vm->shadow->machine.plic.priority[UART_SOURCE], 3);
    assert_true(turn_load(LW, FINISHER));
}

static void test_where_nothing_is_or_a_device_refuses_an_access_faults(void **state)
{
    (void)state;
    check_refused(turn_load(LW, NOTHING), CAUSE_LOAD_ACCESS, NOTHING);
    check_refused(turn_store(SW, NOTHING, 1), CAUSE_STORE_ACCESS, NOTHING);
    check_refused(turn_trap(0, CAUSE_FETCH_PAGE, UART), CAUSE_FETCH_ACCESS, UART);
    check_refused(turn_store(SD, FINISHER, 0x5555), CAUSE_STORE_ACCESS, FINISHER);
    assert_int_equal(vm->state, VM_RUNNING);
}

static void test_what_is_loaded_is_extended_as_the_instruction_says(void **state)
{
    (void)state;
    assert_true(turn_store(SB, UART_SCRATCH, 0x80));
    assert_true(turn_load(LB, UART_SCRATCH));
    assert_true(*turn_register(A2) == ~0x7fUL);
    assert_true(turn_load(LBU, UART_SCRATCH));
    assert_true(*turn_register(A2) == 0x80);
    assert_true(turn_store(SW, PLIC_ENABLE + 4, ~0U));
    assert_true(turn_load(LW, PLIC_ENABLE + 4));
    assert_true(*turn_register(A2) == ~0UL);
    assert_true(turn_load(LWU, PLIC_ENABLE + 4));
    assert_true(*turn_register(A2) == ~0U);
    assert_true(turn_load(LW_X0, DISK));
}

static void test_only_plain_accesses_that_begin_there_reach_a_device(void **state)
{
    (void)state;
    *turn_register(A2) = 77;
    check_refused(turn_load(FLW, DISK), CAUSE_LOAD_ACCESS, DISK);
    check_refused(turn_store(AMOADD, PLIC + 4, 1), CAUSE_STORE_ACCESS, PLIC + 4);
    assert_int_equal(vm->shadow->machine.plic.priority[1], 0);
    check_refused(turn_load(LW_4, DISK), CAUSE_LOAD_ACCESS, DISK); /* it begins behind */
    assert_int_equal(*turn_register(A2), 77);
}

/* The guest goes to a space with devices and memory where they are without one. */
static void space_enter(u32 root)
{
    const u64 rights = SV39_V | SV39_R | SV39_W | SV39_X | SV39_A | SV39_D;

    guest_table(root)[0] = rights;
    guest_table(root)[2] = 0x80000UL << 10 | rights;
    *turn_register(A1) = SATP_SV39 | guest_frame(root);
    assert_true(turn_illegal(CSRW_SATP));
}

static void test_devices_in_an_address_space_are_behind_its_pages(void **state)
{
    (void)state;
    space_enter(0);
    assert_true(turn_store(SB, UART_SCRATCH, 0x5a));
    assert_int_equal(vm->shadow->machine.uart.scratch, 0x5a);
    check_refused(turn_store(SB, UART_SCRATCH + 0x40000000, 1), CAUSE_STORE_PAGE,
                  UART_SCRATCH + 0x40000000);
}

/* ---- console, interrupts, end ---- */

static void test_the_serial_port_is_the_machines_console(void **state)
{
    (void)state;
    assert_true(turn_store(SB, UART, 'h'));
    assert_true(turn_store(SB, UART, 'i'));
    assert_string_equal(world_shown, "hi");
    source_enable(UART_SOURCE);
    assert_true(turn_store(SB, UART + 1, 1));
    world_typed = "x";
    shadow_events(vcpu, EVENT_CONSOLE);
    assert_true(shadow_processor.external);
    assert_true(turn_load(LW, PLIC_CLAIM));
    assert_int_equal(*turn_register(A2), UART_SOURCE);
    assert_false(shadow_processor.external);
    assert_true(turn_load(LBU, UART));
    assert_int_equal(*turn_register(A2), 'x');
}

static void test_a_kernel_in_u_mode_has_its_external_interrupt_in_sip(void **state)
{
    (void)state;
    source_enable(UART_SOURCE);
    assert_true(turn_store(SB, UART + 1, 1));
    world_typed = "x";
    shadow_events(vcpu, EVENT_CONSOLE);
    assert_int_equal(vcpu->shadow->csrs.lines, BIT(IRQ_S_EXTERNAL));
    assert_true(turn_load(LW, PLIC_CLAIM));
    assert_int_equal(*turn_register(A2), UART_SOURCE);
    assert_int_equal(vcpu->shadow->csrs.lines, 0);
}

static void test_the_finisher_ends_the_machine_as_its_guest_says(void **state)
{
    static const struct {
        u32 word;
        enum vm_exit exit;
    } orders[] = {{0x5555, VM_EXIT_SHUTDOWN}, {0x13333, VM_EXIT_FAILURE}, {0x7777, VM_EXIT_REBOOT}};

    for (u32 i = 0; i < ARRAY_SIZE(orders); i++) {
        start(state);
        assert_true(turn_store(SW, FINISHER, orders[i].word));
        assert_int_equal(vm->state, VM_ENDING);
        assert_int_equal(vm->exit, orders[i].exit);
    }
}

/* ---- the disk ---- */

static void *buffer(void)
{
    return arch_frame_bytes(p2m_lookup(&vm->p2m, BUFFER >> FRAME_SHIFT));
}

static const u8 *sector(u64 number)
{
    return medium->data + number * VBLK_SECTOR_BYTES;
}

static void test_the_disk_is_the_machines(void **state)
{
    (void)state;
    assert_int_equal(disk_get(0x100), FAKE_SECTORS);
    assert_int_equal(disk_get(0x10) & VIRTIO_FEATURE_READ_ONLY, 0);
    assert_int_equal(blk_request(0, 30, 1024, WRITABLE), 0);
    assert_memory_equal(buffer(), sector(30), 1024);
    assert_int_equal(blk_request(0, FAKE_SECTORS - 1, 512, WRITABLE), 0);
    assert_memory_equal(buffer(), sector(FAKE_SECTORS - 1), 512);
    assert_int_equal(blk_request(0, FAKE_SECTORS - 1, 1024, WRITABLE), 1);
    assert_int_equal(blk_request(1, FAKE_SECTORS, 512, READABLE), 1);
    assert_int_equal(blk_request(4, 0, 0, READABLE), 0);
    assert_int_equal(medium->flushed, 1);
    assert_int_equal(blk_request(8, 0, 20, WRITABLE), 0);
    assert_string_equal(buffer(), "candor-disk");
    vm->disk->read_only = true;
    shadow_machine_start(vm);
    assert_int_equal(disk_get(0x10) & VIRTIO_FEATURE_READ_ONLY, VIRTIO_FEATURE_READ_ONLY);
}

static void test_what_was_written_is_on_the_machines_disk(void **state)
{
    (void)state;
    memset(buffer(), 0x5a, 1024);
    assert_int_equal(blk_request(1, 9, 1024, READABLE), 0);
    assert_memory_equal(sector(9), buffer(), 1024);
    shadow_machine_start(vm);
    blk_poke(AVAILABLE + 2, 0, 2);
    blk_poke(USED + 2, 0, 2);
    blk_set_up(QUEUE, DESCRIPTORS, AVAILABLE, USED);
    memset(buffer(), 0, 1024);
    assert_int_equal(blk_request(0, 10, 512, WRITABLE), 0);
    assert_int_equal(((u8 *)buffer())[511], 0x5a);
}

static void test_an_error_of_the_machines_disk_is_one_of_the_request(void **state)
{
    (void)state;
    medium->fails = true;
    assert_int_equal(blk_request(0, 5, 512, WRITABLE), 1);
    assert_int_equal(blk_request(1, 5, 512, READABLE), 1);
    assert_int_equal(blk_request(4, 0, 0, READABLE), 1);
    medium->fails = false;
    assert_int_equal(blk_request(0, 5, 512, WRITABLE), 0);
    vm->disk->broken = true;
    assert_int_equal(blk_request(0, 5, 512, WRITABLE), 1);
}

static void test_a_machine_without_a_disk_has_nothing_there(void **state)
{
    (void)state;
    vm->disk = NULL;
    shadow_machine_start(vm);
    check_refused(turn_load(LW, DISK), CAUSE_LOAD_ACCESS, DISK);
}

static void test_a_buffer_outside_of_its_memory_is_an_error(void **state)
{
    static const u64 places[] = {0, DISK, BLK_RAM_BASE - 1, 1UL << 40, ~0UL - 512};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(places); i++)
        for (u32 type = 0; type < 2; type++) {
            blk_write_header(type, 5);
            blk_descriptor = 0;
            blk_describe(HEADER, 16, NEXT);
            blk_describe(places[i], 512, NEXT | (type == 0 ? WRITABLE : READABLE));
            blk_describe(STATUS, 1, WRITABLE);
            blk_offer(0);
            blk_kick();
            assert_int_equal(blk_peek(STATUS, 1), 1);
        }
    assert_int_equal(blk_request(0, 5, 512, WRITABLE), 0);
    assert_memory_equal(buffer(), sector(5), 512);
}

/* A request of many sectors, which the machine's disk has to do. */
static void long_read_begin(u64 into)
{
    blk_write_header(0, 0);
    blk_describe(HEADER, 16, NEXT);
    blk_describe(into, LONG_BYTES, NEXT | WRITABLE);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(0);
    blk_put(REG_NOTIFY, 0);
}

static void test_the_rest_of_a_long_request_is_due_at_once(void **state)
{
    (void)state;
    source_enable(DISK_SOURCE);
    long_read_begin(BUFFER);
    assert_false(vm->shadow->machine.disk.more); /* the guest runs meanwhile */
    assert_true(vcpu->timer == TIME_NEVER);
    medium_does();
    assert_true(vm->shadow->machine.disk.more);
    assert_int_equal(vcpu->timer, 0);
    assert_int_equal(blk_peek(STATUS, 1), UNTOUCHED);
    assert_false(shadow_processor.external);
    while (disk_serve())
        ;
    assert_true(vcpu->timer == TIME_NEVER);
    assert_true(shadow_processor.external);
    assert_int_equal(blk_peek(STATUS, 1), 0);
    assert_memory_equal(buffer(), medium->data, LONG_BYTES);
}

static void test_a_long_write_is_taken_in_pieces(void **state)
{
    (void)state;
    memset(buffer(), 0x3c, LONG_BYTES);
    blk_write_header(1, 8);
    blk_describe(HEADER, 16, NEXT);
    blk_describe(BUFFER, LONG_BYTES, NEXT | READABLE);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(0);
    blk_put(REG_NOTIFY, 0);
    assert_true(vm->shadow->machine.disk.more);
    assert_int_equal(vcpu->timer, 0);
    while (disk_serve())
        ;
    assert_int_equal(blk_peek(STATUS, 1), 0);
    assert_memory_equal(buffer(), sector(8), LONG_BYTES);
}

static void test_a_reset_ends_a_request_that_is_half_served(void **state)
{
    static u8 before[LONG_BYTES];

    (void)state;
    long_read_begin(BUFFER);
    medium_does();
    blk_put(REG_STATUS, 0);
    assert_false(vm->shadow->machine.disk.more);
    memcpy(before, buffer(), sizeof(before));
    shadow_events(vcpu, EVENT_TIMER);
    assert_true(vcpu->timer == TIME_NEVER);
    assert_memory_equal(buffer(), before, sizeof(before));
    assert_int_equal(blk_peek(STATUS, 1), UNTOUCHED);
    assert_int_equal(blk_peek(USED + 2, 2), 0);
    blk_poke(AVAILABLE + 2, 0, 2);
    blk_set_up(QUEUE, DESCRIPTORS, AVAILABLE, USED);
    assert_int_equal(blk_request(0, 1, 512, WRITABLE), 0);
}

/* One sector into there. */
static u32 short_read(u64 into)
{
    blk_descriptor = 0;
    blk_write_header(0, 0);
    blk_describe(HEADER, 16, NEXT);
    blk_describe(into, 512, NEXT | WRITABLE);
    blk_describe(STATUS, 1, WRITABLE);
    blk_offer(0);
    blk_kick();
    return (u32)blk_peek(STATUS, 1);
}

static void test_a_disk_that_writes_over_a_table_in_step_gives_up_the_shadows(void **state)
{
    const u64 *drops = &vm->shadow->tables.counts.drops;
    const u64 end = VM_MEMORY_BASE + vm->config.memory_bytes;
    u64 before;

    (void)state;
    space_enter(LAST_FRAME);
    before = *drops;
    long_read_begin(end - FRAME_BYTES - LONG_BYTES);
    while (disk_serve())
        ;
    assert_int_equal(*drops, before);
    assert_int_equal(short_read(end - 512), 0);
    assert_int_equal(*drops, before + 1);
    assert_memory_equal(guest_table(LAST_FRAME) + SV39_ENTRIES - 64, medium->data, 512);

    space_enter(LAST_FRAME); /* it is in step again; and then only a part of the sector fits */
    before = *drops;
    assert_int_equal(short_read(end - 256), 1);
    assert_int_equal(*drops, before + 1);
    assert_memory_equal(guest_table(LAST_FRAME) + SV39_ENTRIES - 32, medium->data, 256);
    audit_holds();
}

#define on(test) cmocka_unit_test_setup(test, start)
#define driven(test) cmocka_unit_test_setup(test, start_driver)

int main(void)
{
    const struct CMUnitTest tests[] = {
        on(test_each_device_is_where_the_machine_has_it),
        on(test_where_nothing_is_or_a_device_refuses_an_access_faults),
        on(test_what_is_loaded_is_extended_as_the_instruction_says),
        on(test_only_plain_accesses_that_begin_there_reach_a_device),
        on(test_devices_in_an_address_space_are_behind_its_pages),
        on(test_the_serial_port_is_the_machines_console),
        cmocka_unit_test_setup(test_a_kernel_in_u_mode_has_its_external_interrupt_in_sip,
                               start_in_u),
        on(test_the_finisher_ends_the_machine_as_its_guest_says),
        driven(test_the_disk_is_the_machines),
        driven(test_what_was_written_is_on_the_machines_disk),
        driven(test_an_error_of_the_machines_disk_is_one_of_the_request),
        on(test_a_machine_without_a_disk_has_nothing_there),
        driven(test_a_buffer_outside_of_its_memory_is_an_error),
        driven(test_the_rest_of_a_long_request_is_due_at_once),
        driven(test_a_long_write_is_taken_in_pieces),
        driven(test_a_reset_ends_a_request_that_is_half_served),
        driven(test_a_disk_that_writes_over_a_table_in_step_gives_up_the_shadows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "core/audit.h"
#include "core/sched.h"
#include "core/vm_list.h"
#include "debug/log.h"
#include "debug/panic.h"
#include "debug/stay.h"
#include "driver/devices.h"
#include "fake_disk.h"
#include "fnv.h"
#include "host.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "virt/pv/paging.h"

enum {
    LOG_BYTES = 1 << 16,
    BUNDLE_BYTES = 4 << 20,
    IMAGE_BYTES = 16384,
    EM_RISCV = 243,
    PT_LOAD = 1,
    PT_NOTE = 4,
};

char world_log[LOG_BYTES];
char world_shown[WORLD_SHOWN_BYTES];
const char *world_typed = "";
int world_status;
static u8 *bundle;

/* ---- fakes of what stands beside the core ---- */

static void log_add(const char *name, const char *format, va_list arguments)
{
    size_t used = strlen(world_log);

    used += (size_t)(snprintf)(world_log + used, LOG_BYTES - used, "%s%s", name,
                               name[0] != 0 ? ": " : "");
    used += (size_t)vsnprintf(world_log + used, LOG_BYTES - used, format, arguments);
    if (used + 2 < LOG_BYTES)
        strcpy(world_log + used, "\n");
}

void log_line(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_add("", format, arguments);
    va_end(arguments);
}

void log_vm_line(const char *vm_name, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_add(vm_name, format, arguments);
    va_end(arguments);
}

void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    abort();
}

void machine_stop(u32 status)
{
    if (world_status < 0)
        world_status = (int)status;
}

void console_port_restart(struct console_port *port)
{
    (void)port;
}

void console_show_marks(void)
{
}

bool console_port_open(struct console_port *port, u32 number, const char *name, bool coloured,
                       void (*notify)(void *owner, enum console_event event), void *owner)
{
    (void)name;
    port->number = number;
    (void)coloured;
    port->notify = notify;
    port->owner = owner;
    port->open = true;
    return true;
}

void console_port_reopen(struct console_port *port)
{
    port->open = true;
}

bool console_port_finish(struct console_port *port)
{
    return !port->open;
}

void console_port_remove(struct console_port *port)
{
    port->number = 0;
}

void console_port_close(struct console_port *port)
{
    port->open = false;
}

bool console_guest_readable(struct console_port *port)
{
    (void)port;
    return false;
}

bool console_guest_writes(struct console_port *port)
{
    (void)port;
    return false;
}

u64 console_guest_write(struct console_port *port, const char *bytes, u64 count)
{
    const size_t used = strlen(world_shown), room = sizeof(world_shown) - 1 - used;

    (void)port;
    memcpy(world_shown + used, bytes, min(count, room));
    return count;
}

u64 console_guest_read(struct console_port *port, char *bytes, u64 size)
{
    const u64 count = min(size, strlen(world_typed));

    (void)port;
    memcpy(bytes, world_typed, count);
    world_typed += count;
    return count;
}

void console_drain(void)
{
}

/* ---- the bundle ---- */

static void put16(u8 *at, u16 value)
{
    memcpy(at, &value, sizeof(value));
}

static void put32(u8 *at, u32 value)
{
    memcpy(at, &value, sizeof(value));
}

static void put64(u8 *at, u64 value)
{
    memcpy(at, &value, sizeof(value));
}

static void put_segment(u8 *header, u32 type, u32 flags, u64 offset, u64 virtual_address,
                        u64 physical, u64 file, u64 memory)
{
    put32(header, type);
    put32(header + 4, flags);
    put64(header + 8, offset);
    put64(header + 16, virtual_address);
    put64(header + 24, physical);
    put64(header + 32, file);
    put64(header + 40, memory);
    put64(header + 48, 8);
}

/* An ELF file with a page of code, a page of data and the note. Layout: System V ABI, chapter 4. */
static void put_image(u8 *at, const struct world_image *how)
{
    const u64 code = how->code_at != 0 ? how->code_at : WORLD_IMAGE;
    const u64 data = how->data_at != 0 ? how->data_at : code + FRAME_BYTES;
    const u64 shift = how->unlinked ? 0 : PV_DIRECT_MAP;
    const struct image_note note = {
        .abi_version = how->note_version != 0 ? how->note_version : CANDOR_ABI_VERSION,
        .pool_base_gpa = how->pool_base != 0 ? how->pool_base : WORLD_POOL_BASE,
        .pool_bytes = how->pool_bytes != 0 ? how->pool_bytes : WORLD_POOL,
    };
    u8 *headers = at + 64;

    memset(at, 0, IMAGE_BYTES);
    memcpy(at, "\177ELF\2\1\1", 7);
    put16(at + 16, 2);
    put16(at + 18, EM_RISCV);
    put32(at + 20, 1);
    put64(at + 24, how->entry != 0 ? how->entry : code + shift);
    put64(at + 32, 64);
    put16(at + 52, 64);
    put16(at + 54, 56);
    put16(at + 56, how->no_note ? 2 : 3);
    put_segment(headers, PT_LOAD, 5, 4096, code + shift, code, 4096, 4096);
    put_segment(headers + 56, PT_LOAD, 6, 8192, data + shift, data, 100, 8192);
    put_segment(headers + 112, PT_NOTE, 4, 1024, 0, 0, 20 + sizeof(note), 20 + sizeof(note));
    put32(at + 1024, 7);
    put32(at + 1028, sizeof(note));
    put32(at + 1032, CANDOR_NOTE_TYPE);
    memcpy(at + 1036, "Candor\0", 8);
    memcpy(at + 1044, &note, sizeof(note));
    memset(at + 4096, 0xc0, 4096);
    memset(at + 8192, 0xda, 100);
}

static u64 put_bundle(u32 count, const struct world_image *images)
{
    struct bundle_header header = {.format_version = BUNDLE_FORMAT_VERSION, .vm_count = count};
    u64 at = ALIGN_UP(sizeof(header) + count * sizeof(struct bundle_vm), (u64)BUNDLE_ALIGNMENT);

    memset(bundle, 0, BUNDLE_BYTES);
    for (u32 i = 0; i < count; i++) {
        const struct world_image usual = {0}, *how = images != NULL ? &images[i] : &usual;
        struct bundle_vm record = {
            .memory_bytes = how->memory_bytes != 0 ? how->memory_bytes : WORLD_VM_MEMORY,
            .image_offset = at,
            .image_bytes = how->no_image ? 0 : IMAGE_BYTES,
            .initrd_offset = how->initrd_bytes != 0 ? at + IMAGE_BYTES : 0,
            .initrd_bytes = how->initrd_bytes,
            .virt = BUNDLE_VIRT_PV,
            .traps = how->bounced ? BUNDLE_TRAPS_BOUNCED : BUNDLE_TRAPS_DIRECT,
            .flags = how->later ? BUNDLE_FLAG_LATER : 0,
            .vcpus = 1,
            .disk_slot = how->disk_slot,
        };

        (snprintf)(record.name, sizeof(record.name), "vm%u", i + 1);
        strcpy(record.args, "one two");
        put_image(bundle + at, how);
        memset(bundle + at + IMAGE_BYTES, 0x1d, how->initrd_bytes);
        memcpy(bundle + sizeof(header) + i * sizeof(record), &record, sizeof(record));
        at = ALIGN_UP(at + IMAGE_BYTES + how->initrd_bytes, (u64)BUNDLE_ALIGNMENT);
    }
    memcpy(header.magic, BUNDLE_MAGIC, sizeof(header.magic));
    header.total_bytes = at;
    memcpy(bundle, &header, sizeof(header));
    header.checksum = fnv64_update(FNV64_START, bundle, offsetof(struct bundle_header, checksum));
    header.checksum = fnv64_update(header.checksum, bundle + sizeof(header), at - sizeof(header));
    memcpy(bundle, &header, sizeof(header));
    return at;
}

/* ---- the world ---- */

void world_start(u32 count, const struct world_image *images)
{
    u64 bytes;

    host_start(WORLD_MEMORY);
    world_log[0] = 0;
    world_status = -1;
    if (bundle == NULL)
        bundle = malloc(BUNDLE_BYTES);
    bytes = put_bundle(count, images);
    if (bundle == NULL ||
        !frame_init(maddr(HOST_MEMORY_BASE + FRAME_BYTES),
                    maddr(HOST_MEMORY_BASE + WORLD_MEMORY)) ||
        !space_id_init(arch_space_ids()))
        abort();
    fake_disks_start();
    vm_start_all(bundle, bytes);
    world_settle();
}

static bool unsettled(void)
{
    for (u32 i = 0; i < vm_count; i++) {
        if (vms[i] != NULL && (vms[i]->state == VM_BUILDING || vms[i]->state == VM_ENDING ||
                               vms[i]->end_wanted != VM_EXIT_NONE))
            return true;
    }
    return false;
}

void world_settle(void)
{
    jmp_buf asleep;

    host_asleep = &asleep;
    if (setjmp(asleep) != 0) { /* nobody is left */
        host_asleep = NULL;
        return;
    }
    for (u32 i = 0; unsettled(); i++) {
        struct hart *hart = arch_hart();

        if (i > 1000)
            abort();
        sched_next(hart);
        if (unsettled() && hart->current != NULL)
            sched_requeue(hart->current);
    }
    host_asleep = NULL;
}

void *world_bytes(const struct vm *vm, gpa_t address)
{
    return (u8 *)arch_frame_bytes(p2m_lookup(&vm->p2m, address.value >> FRAME_SHIFT)) +
           address.value % FRAME_BYTES;
}

u64 world_audit(void)
{
    const u32 count = hart_count, executing = host_hart;
    struct audit_result result;

    /* Nothing runs meanwhile: no other hart has to be told to stand still. */
    hart_count = 1;
    host_hart = 0;
    audit_run(&result);
    hart_count = count;
    host_hart = executing;
    return result.violations;
}

void stay_begin_measured(u32 kind)
{
    (void)kind;
}

void stay_end_measured(void)
{
}

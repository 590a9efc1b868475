/* SPDX-License-Identifier: MIT */
/*
 * The firmware interface of guests: SBI 2.0 (BASE, DBCN, SRST) and, in its experimental range,
 * Candor's own calls.
 *
 * Standard calls keep every register but a0 and a1. Candor's own give up a2 to a7 and t0 to t6,
 * which return as zero; where entry.S serves a call, as the guest left them.
 */
#include "boot.h"
#include "candor_abi.h"
#include "core/hypercall.h"
#include "core/vm.h"
#include "csr.h"
#include "debug/console.h"
#include "mem/guest_memory.h"
#include "virt/virt.h"

enum sbi_extension {
    SBI_BASE = 0x10,
    SBI_DEBUG_CONSOLE = 0x4442434e,
    SBI_SYSTEM_RESET = 0x53525354,
};

enum sbi_base_function {
    SBI_BASE_SPEC_VERSION = 0,
    SBI_BASE_IMPLEMENTATION_ID = 1,
    SBI_BASE_IMPLEMENTATION_VERSION = 2,
    SBI_BASE_PROBE = 3,
    SBI_BASE_VENDOR_ID = 4,
    SBI_BASE_ARCHITECTURE_ID = 5,
    SBI_BASE_MACHINE_ID = 6,
};

enum sbi_console_function {
    SBI_CONSOLE_WRITE = 0,
    SBI_CONSOLE_READ = 1,
    SBI_CONSOLE_WRITE_BYTE = 2,
};

enum sbi_reset_type {
    SBI_RESET_SHUTDOWN = 0,
    SBI_RESET_COLD_REBOOT = 1,
    SBI_RESET_WARM_REBOOT = 2,
    SBI_RESET_REASON_NONE = 0,
    SBI_RESET_REASON_FAILURE = 1,
};

enum {
    SBI_VERSION_2_0 = 2 << 24,
    SBI_IMPLEMENTATION_CANDOR = 0x43414e44, /* outside the registered ones */
    SBI_CONSOLE_CHUNK = 256,                /* bytes a call moves at most */
};

static bool sbi_probe(const struct virt_ops *virt, u64 extension)
{
    switch (extension) {
    case SBI_BASE:
    case SBI_DEBUG_CONSOLE:
    case SBI_SYSTEM_RESET:
        return true;
    case CANDOR_EXTENSION:
        return virt->own_calls;
    default:
        return virt->firmware_has != NULL && virt->firmware_has(extension);
    }
}

static struct hc_result sbi_base(const struct virt_ops *virt, u64 function, const u64 *a)
{
    switch (function) {
    case SBI_BASE_SPEC_VERSION:
        return hc_value(SBI_VERSION_2_0);
    case SBI_BASE_IMPLEMENTATION_ID:
        return hc_value(SBI_IMPLEMENTATION_CANDOR);
    case SBI_BASE_IMPLEMENTATION_VERSION:
        return hc_value(CANDOR_ABI_VERSION);
    case SBI_BASE_PROBE:
        return hc_value(sbi_probe(virt, a[0]));
    case SBI_BASE_VENDOR_ID:
        return hc_value(csr_read(mvendorid));
    case SBI_BASE_ARCHITECTURE_ID:
        return hc_value(csr_read(marchid));
    case SBI_BASE_MACHINE_ID:
        return hc_value(csr_read(mimpid));
    default:
        return hc_error(HC_NOT_SUPPORTED);
    }
}

/* SBI wants the whole buffer to be memory, also what one call does not reach. */
static bool sbi_buffer_inside(const struct vm *vm, const u64 *a)
{
    u64 memory_bytes = (u64)vm->p2m.frames_count * FRAME_BYTES;
    u64 offset = a[1] - VM_MEMORY_BASE;

    return a[2] == 0 && offset <= memory_bytes && a[0] <= memory_bytes - offset;
}

/* The three errors of copying are one to SBI. */
static struct hc_result sbi_console(struct vcpu *vcpu, u64 function, const u64 *a)
{
    struct vm *vm = vcpu->vm;
    char buffer[SBI_CONSOLE_CHUNK];
    u64 bytes = min(a[0], (u64)sizeof(buffer));

    switch (function) {
    case SBI_CONSOLE_WRITE:
        if (!sbi_buffer_inside(vm, a) || guest_copy_in(vm, buffer, gpa(a[1]), bytes) != HC_OK)
            return hc_error(HC_INVALID_PARAM);
        return hc_value(console_guest_write(&vm->console, buffer, bytes));
    case SBI_CONSOLE_READ:
        if (!sbi_buffer_inside(vm, a) || guest_check_out(vm, gpa(a[1]), bytes) != HC_OK)
            return hc_error(HC_INVALID_PARAM);
        bytes = console_guest_read(&vm->console, buffer, bytes);
        if (guest_copy_out(vm, gpa(a[1]), buffer, bytes) != HC_OK)
            return hc_error(HC_FAILED);
        if (vm->virt->written != NULL)
            vm->virt->written(vcpu, gpa(a[1]), bytes);
        return hc_value(bytes);
    case SBI_CONSOLE_WRITE_BYTE:
        buffer[0] = (char)a[0];
        return console_guest_write(&vm->console, buffer, 1) == 1 ? hc_value(0)
                                                                 : hc_error(HC_FAILED);
    default:
        return hc_error(HC_NOT_SUPPORTED);
    }
}

static struct hc_result sbi_reset(struct vm *vm, u64 function, const u64 *a)
{
    if (function != 0)
        return hc_error(HC_NOT_SUPPORTED);
    if (a[0] > SBI_RESET_WARM_REBOOT || a[1] > SBI_RESET_REASON_FAILURE)
        return hc_error(HC_INVALID_PARAM);
    if (a[0] != SBI_RESET_SHUTDOWN)
        vm_end(vm, VM_EXIT_REBOOT);
    else
        vm_end(vm, a[1] == SBI_RESET_REASON_FAILURE ? VM_EXIT_FAILURE : VM_EXIT_SHUTDOWN);
    return hc_value(0);
}

static struct hc_result sbi_standard(struct vcpu *vcpu, u64 extension, u64 function, const u64 *a)
{
    const struct virt_ops *virt = vcpu->vm->virt;

    vcpu->counts.standard_calls++;
    switch (extension) {
    case SBI_BASE:
        return sbi_base(virt, function, a);
    case SBI_DEBUG_CONSOLE:
        return sbi_console(vcpu, function, a);
    case SBI_SYSTEM_RESET:
        return sbi_reset(vcpu->vm, function, a);
    default:
        return virt->firmware_call != NULL ? virt->firmware_call(vcpu, extension, function, a)
                                           : hc_error(HC_NOT_SUPPORTED);
    }
}

static void sbi_clear_given_up(u64 *x)
{
    x[REGISTER_T0] = x[REGISTER_T0 + 1] = x[REGISTER_T0 + 2] = 0;
    x[REGISTER_T3] = x[REGISTER_T3 + 1] = x[REGISTER_T3 + 2] = x[REGISTER_T3 + 3] = 0;
    x[REGISTER_A2] = x[REGISTER_A2 + 1] = x[REGISTER_A2 + 2] = x[REGISTER_A2 + 3] = 0;
    x[REGISTER_A6] = x[REGISTER_A7] = 0;
}

void sbi_call(struct vcpu *vcpu)
{
    enum { INSTRUCTION_BYTES = 4 };
    u64 *x = vcpu->arch.x;
    u64 function = x[REGISTER_A6];
    struct hc_result result;

    x[REGISTER_PC] += INSTRUCTION_BYTES;
    if (x[REGISTER_A7] != CANDOR_EXTENSION || !vcpu->vm->virt->own_calls) {
        result = sbi_standard(vcpu, x[REGISTER_A7], function, &x[REGISTER_A0]);
    } else {
        result = hypercall_handle(vcpu, function, &x[REGISTER_A0]);
        /* A return from a trap has loaded what it goes back to. */
        if (function == HC_CALL_TRAP_RETURN && result.error == HC_OK)
            return;
        sbi_clear_given_up(x);
    }
    x[REGISTER_A0] = (u64)result.error;
    x[REGISTER_A1] = result.value;
}

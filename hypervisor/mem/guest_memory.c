/* SPDX-License-Identifier: MIT */
#include "mem/guest_memory.h"

#include "arch/arch.h"
#include "core/vm.h"
#include "string.h"

void *guest_bytes(const struct vm *vm, gpa_t address, bool writing, int *error)
{
    u32 entry = p2m_entry(&vm->p2m, address.value >> FRAME_SHIFT);

    *error = HC_OK;
    if (entry == 0)
        *error = HC_INVALID_ADDRESS;
    else if (writing && (entry & P2M_POOL))
        *error = HC_IS_POOL;
    if (*error != HC_OK)
        return NULL;
    return (u8 *)arch_frame_bytes(mfn(entry & ~P2M_POOL)) + address.value % FRAME_BYTES;
}

static int guest_walk(const struct vm *vm, u64 address, u64 bytes, u8 *to, const u8 *from,
                      bool writing)
{
    if (address + bytes < address)
        return HC_INVALID_ADDRESS;
    while (bytes > 0) {
        u64 piece = min(bytes, FRAME_BYTES - address % FRAME_BYTES);
        int error;
        u8 *guest = guest_bytes(vm, gpa(address), writing, &error);

        if (guest == NULL)
            return error;
        if (to != NULL) {
            memcpy(to, guest, piece);
            to += piece;
        }
        if (from != NULL) {
            memcpy(guest, from, piece);
            from += piece;
        }
        address += piece;
        bytes -= piece;
    }
    return HC_OK;
}

int guest_copy_in(const struct vm *vm, void *to, gpa_t from, u64 bytes)
{
    return guest_walk(vm, from.value, bytes, to, NULL, false);
}

int guest_copy_out(const struct vm *vm, gpa_t to, const void *from, u64 bytes)
{
    return guest_walk(vm, to.value, bytes, NULL, from, true);
}

int guest_check_out(const struct vm *vm, gpa_t to, u64 bytes)
{
    return guest_walk(vm, to.value, bytes, NULL, NULL, true);
}

int guest_data_frame(const struct vm *vm, gpa_t page, void **bytes)
{
    int error;

    if (page.value % FRAME_BYTES != 0)
        return HC_INVALID_ADDRESS;
    *bytes = guest_bytes(vm, page, true, &error);
    return error;
}

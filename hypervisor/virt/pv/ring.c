/* SPDX-License-Identifier: MIT */
/*
 * The disk of a paravirtual guest, by requests in a ring that both share (struct disk_ring).
 *
 * A guest may write anything there at any time. What Candor goes by is its own: how many requests
 * it has taken and answered, and which numbers of the driver's stand for which of the guest's. Each
 * request is copied once and judged by the copy; its memory is translated then, and stays the
 * guest's while the request is on its way (driver/disk.h). The data itself is never read here: the
 * disk takes it from where it lies.
 *
 * In the turn of a vCPU of the VM's, one at a time (vm_calls_lock).
 */
#include "virt/pv/ring.h"

#include "core/event.h"
#include "core/hypercall.h"
#include "core/vm.h"
#include "driver/disk.h"
#include "mem/guest_memory.h"

enum {
    RING_SIZE = ARRAY_SIZE(((struct disk_ring *)0)->requests),
    KICK_MAX = 16, /* requests that one call takes: it stays short */
};
_Static_assert(ARRAY_SIZE(((struct disk_ring *)0)->responses) == RING_SIZE, "as many");
_Static_assert((u32)RING_SIZE <= DISK_TRANSFERS_MAX, "whoever is in the ring finds a number");
_Static_assert(ARRAY_SIZE(((struct disk_request *)0)->segments) <= DISK_PIECES_MAX, "each a piece");

static struct hc_result attach(struct vm *vm, gpa_t page)
{
    struct disk_ring *ring;
    void *bytes;
    int error = guest_data_frame(vm, page, &bytes);

    if (error == HC_OK && vm->disk == NULL)
        error = HC_NOT_SUPPORTED;
    if (error == HC_OK && vm->pv.ring.page != NULL)
        error = HC_EXISTS;
    if (error != HC_OK)
        return hc_error(error);
    ring = bytes;
    *ring = (struct disk_ring){.sectors = vm->disk->sectors,
                               .flags = vm->disk->read_only ? DISK_FLAG_READ_ONLY : 0};
    vm->pv.ring = (struct pv_ring){.page = ring, .base = page};
    return hc_value(vm->disk->sectors);
}

struct hc_result hc_disk_attach(struct vcpu *vcpu, gpa_t page)
{
    struct hc_result result;

    vm_calls_lock(vcpu->vm);
    result = attach(vcpu->vm, page);
    vm_calls_unlock(vcpu);
    return result;
}

static void answer(struct pv_ring *ring, u64 id, i64 status)
{
    ring->page->responses[ring->answered % RING_SIZE] = (struct disk_response){id, status};
    ring->answered++;
    __atomic_store_n(&ring->page->responses_made, ring->answered, __ATOMIC_RELEASE);
}

/* The piece of machine memory that a segment names. */
static int translate(const struct vm *vm, const struct disk_segment *segment,
                     struct disk_piece *piece)
{
    u64 left = FRAME_BYTES - segment->gpa % FRAME_BYTES;
    u32 entry = p2m_entry(&vm->p2m, segment->gpa >> FRAME_SHIFT);

    if (segment->bytes == 0 || segment->bytes % VIRTIO_SECTOR_BYTES != 0 || segment->bytes > left ||
        segment->reserved != 0)
        return HC_INVALID_PARAM;
    if (segment->gpa % VIRTIO_SECTOR_BYTES != 0 || entry == 0)
        return HC_INVALID_ADDRESS;
    if ((entry & P2M_POOL) != 0)
        return HC_IS_POOL;
    piece->address = maddr(mfn_to_maddr(mfn(entry)).value + segment->gpa % FRAME_BYTES);
    piece->bytes = segment->bytes;
    return HC_OK;
}

/* Gives a request to the disk: the number of its transfer, or an error. */
static int submit(const struct vm *vm, const struct disk_request *request)
{
    struct disk_transfer transfer = {.operation = request->operation,
                                     .piece_count = request->segment_count,
                                     .sector = request->sector};

    if (request->segment_count > ARRAY_SIZE(request->segments) || request->reserved != 0)
        return HC_INVALID_PARAM;
    for (u32 i = 0; i < request->segment_count; i++) {
        int error = translate(vm, &request->segments[i], &transfer.pieces[i]);

        if (error != HC_OK)
            return error;
    }
    return disk_submit(vm->disk, &transfer);
}

/* Takes the next request. True: it is answered already. */
static bool take(struct vm *vm)
{
    struct pv_ring *ring = &vm->pv.ring;
    u64 place = ring->taken++ % RING_SIZE;
    struct disk_request request = {0};
    gpa_t at = gpa(ring->base.value + offsetof(struct disk_ring, requests) +
                   place * sizeof(request));
    int number = guest_copy_in(vm, &request, at, sizeof(request));

    if (number == HC_OK)
        number = submit(vm, &request);
    if (number >= 0)
        ring->ids[number] = request.id;
    else
        answer(ring, request.id, number);
    return number < 0;
}

static struct hc_result kick(struct vm *vm, bool *answered)
{
    struct pv_ring *ring = &vm->pv.ring;
    u32 waiting, room, count;

    if (ring->page == NULL)
        return hc_error(HC_DENIED);
    waiting = __atomic_load_n(&ring->page->requests_made, __ATOMIC_ACQUIRE) - ring->taken;
    room = RING_SIZE - (ring->taken - ring->answered);
    if (waiting > RING_SIZE)
        return hc_error(HC_INVALID_PARAM);
    if (waiting > 0 && room == 0)
        return hc_error(HC_IN_USE);
    count = min(min(waiting, room), (u32)KICK_MAX);
    for (u32 i = 0; i < count; i++)
        *answered |= take(vm);
    if (count > 0)
        disk_kick(vm->disk);
    return hc_value(count);
}

struct hc_result hc_disk_kick(struct vcpu *vcpu)
{
    bool answered = false;
    struct hc_result result;

    vm_calls_lock(vcpu->vm);
    result = kick(vcpu->vm, &answered);
    vm_calls_unlock(vcpu);
    if (answered)
        event_send_vm(vcpu->vm, EVENT_DISK);
    return result;
}

static struct hc_result detach(struct pv_ring *ring)
{
    if (ring->page == NULL)
        return hc_error(HC_DENIED);
    if (ring->taken != ring->answered)
        return hc_error(HC_IN_USE);
    *ring = (struct pv_ring){0};
    return hc_value(0);
}

struct hc_result hc_disk_detach(struct vcpu *vcpu)
{
    struct hc_result result;

    vm_calls_lock(vcpu->vm);
    result = detach(&vcpu->vm->pv.ring);
    vm_calls_unlock(vcpu);
    return result;
}

void ring_answer(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    u32 number;
    bool good;

    vm_calls_lock(vm);
    while (vm->pv.ring.page != NULL && disk_take_done(vm->disk, &number, &good))
        answer(&vm->pv.ring, vm->pv.ring.ids[number], good ? HC_OK : HC_FAILED);
    vm_calls_unlock(vcpu);
}

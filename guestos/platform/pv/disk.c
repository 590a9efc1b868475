/* SPDX-License-Identifier: MIT */
/* The driver of the disk that Candor gives us, by requests in a ring; a request's id is its slot.
 */
#include "frank/errno.h"
#include "pv.h"

static struct disk_ring ring __attribute__((aligned(PAGE_SIZE)));

_Static_assert((int)BLOCK_FLUSH == DISK_OPERATION_FLUSH, "we say to Candor what is said to us");

static void start(struct slot_disk *disk, u32 slot, const struct block_request *request)
{
    (void)disk;
    ring.requests[ring.requests_made % ARRAY_SIZE(ring.requests)] = (struct disk_request){
        .id = slot,
        .sector = (u64)request->block * SLOT_DISK_SECTORS_PER_BLOCK,
        .operation = request->operation,
        .segment_count = request->operation != BLOCK_FLUSH,
        .segments = {{.gpa = request->page, .bytes = PAGE_SIZE}},
    };
    __atomic_store_n(&ring.requests_made, ring.requests_made + 1, __ATOMIC_RELEASE);
    pv_expect_done(candor_disk_kick(), "disk_kick");
}

static bool take(struct slot_disk *disk, u32 *slot, int *error)
{
    const struct disk_response *response = &ring.responses[disk->seen % ARRAY_SIZE(ring.responses)];

    if (disk->seen == __atomic_load_n(&ring.responses_made, __ATOMIC_ACQUIRE))
        return false;
    disk->seen++;
    *slot = (u32)response->id;
    *error = response->status == HC_OK ? 0 : -EIO;
    return true;
}

struct slot_disk pv_disk = {.start = start, .take = take};

void plat_find_disks(void)
{
    struct hc_result attached = candor_disk_attach(pv_gpa(&ring));

    if (attached.error == HC_OK)
        slot_disk_register(&pv_disk, 0, attached.value, (ring.flags & DISK_FLAG_READ_ONLY) != 0);
}

/* SPDX-License-Identifier: MIT */
#include "core/audit.h"

#include "bitmap.h"
#include "core/hart.h"
#include "core/vm.h"
#include "debug/log.h"
#include "mem/frame.h"
#include "mem/space_id.h"
#include "string.h"
#include "virt/virt.h"

enum { SPACE_IDS = 1 << 16 };

static struct audit_result *audit;
static BITMAP_DECLARE(ids_seen, SPACE_IDS);

void audit_check(bool holds, mfn_t frame, u32 index, const char *what)
{
    char text[AUDIT_TEXT_BYTES];

    if (holds)
        return;
    snprintf(text, sizeof(text), "frame 0x%x, entry %u: %s", frame.number, index, what);
    log_line("audit: %s", text);
    if (audit->violations++ == 0)
        strlcpy(audit->first, text, sizeof(audit->first));
}

void audit_space_id(mfn_t root, u16 id)
{
    audit_check(id != 0 && space_id_used(id), root, 0, "a root has no identifier");
    audit_check(!bitmap_test(ids_seen, id), root, 0, "two roots have one identifier");
    bitmap_set(ids_seen, id);
}

void audit_count_table(u32 entries)
{
    audit->tables++;
    audit->entries += entries;
}

static const struct vm *owner_of(const struct frame *frame)
{
    return frame->vm != FRAME_NO_VM && frame->vm <= vm_count ? vms[frame->vm - 1] : NULL;
}

static void check_frame(mfn_t at, const struct frame *frame)
{
    const struct vm *vm = owner_of(frame);
    bool there = vm != NULL && vm->state != VM_OFF;
    u32 expected;

    audit->frames++;
    switch ((enum frame_type)frame->type) {
    case FRAME_FREE:
        return;
    case FRAME_DIRECT_MAP:
    case FRAME_SHADOW:
        audit_check(there, at, 0, "a table that was made for a VM outlives it");
        return;
    case FRAME_DATA:
    case FRAME_POOL:
    case FRAME_TABLE:
        audit_check(there, at, 0, "a frame belongs to a VM that is not there");
        if (!there || vm->state != VM_RUNNING)
            return;
        expected = at.number | (frame->type == FRAME_DATA ? 0 : P2M_POOL);
        audit_check(p2m_entry(&vm->p2m, frame->gfn) == expected, at, 0,
                    "the p2m and the frame table disagree");
        return;
    }
    audit_check(false, at, 0, "a frame is of no kind");
}

static void check_vm(const struct vm *vm)
{
    for (u32 i = 0; i < vm->p2m.frames_count; i++) {
        mfn_t at = mfn(vm->p2m.entries[i] & ~P2M_POOL);
        const struct frame *frame = frame_get(at);

        audit_check(frame != NULL && frame->vm == vm->id && frame->gfn == vm->p2m.base_gfn + i, at,
                    0, "a VM's p2m names a frame that is not its own");
    }
    vm->virt->audit(vm);
}

void audit_run(struct audit_result *result)
{
    hart_stop_others();
    *result = (struct audit_result){0};
    audit = result;
    memset(ids_seen, 0, sizeof(ids_seen));
    for (u32 i = frame_open_base.number; i < frame_open_end.number; i++)
        check_frame(mfn(i), frame_get(mfn(i)));
    for (u32 i = 0; i < vm_count; i++) {
        if (vms[i] != NULL && vms[i]->state == VM_RUNNING)
            check_vm(vms[i]);
    }
    hart_resume_others();
}

/* SPDX-License-Identifier: MIT */
/*
 * Checked reader of the bundle. Fields are read by their offsets and byte by byte: neither
 * alignment nor content of the bytes is relied on, and no sum can overflow.
 */
#include "bundle_reader.h"

#include "endian.h"
#include "fnv.h"
#include "printf.h"
#include "string.h"

enum { BUNDLE_MEMORY_UNIT = 2 << 20 };

#define HEADER_FIELD(member) offsetof(struct bundle_header, member)
#define VM_FIELD(member) offsetof(struct bundle_vm, member)

static const u8 *record_at(const struct bundle *bundle, u32 index)
{
    return bundle->bytes + sizeof(struct bundle_header) + (u64)index * sizeof(struct bundle_vm);
}

int bundle_open(struct bundle *bundle, const void *bytes, u64 limit_bytes)
{
    const u8 *header = bytes;
    const u64 header_bytes = sizeof(struct bundle_header);

    if (limit_bytes < header_bytes ||
        memcmp(header + HEADER_FIELD(magic), BUNDLE_MAGIC, sizeof(BUNDLE_MAGIC) - 1) != 0)
        return BUNDLE_MISSING;
    if (load_le32(header + HEADER_FIELD(format_version)) != BUNDLE_FORMAT_VERSION)
        return BUNDLE_BAD_VERSION;
    *bundle = (struct bundle){
        .bytes = header,
        .total_bytes = load_le64(header + HEADER_FIELD(total_bytes)),
        .vm_count = load_le32(header + HEADER_FIELD(vm_count)),
    };
    if (bundle->total_bytes > limit_bytes || bundle->total_bytes < header_bytes)
        return BUNDLE_CUT_SHORT;
    if (bundle->vm_count == 0 || bundle->vm_count > BUNDLE_VMS_MAX ||
        bundle->vm_count * sizeof(struct bundle_vm) > bundle->total_bytes - header_bytes)
        return BUNDLE_DAMAGED;
    u64 sum = fnv64_update(FNV64_START, header, HEADER_FIELD(checksum));
    sum = fnv64_update(sum, header + header_bytes, bundle->total_bytes - header_bytes);
    return sum == load_le64(header + HEADER_FIELD(checksum)) ? BUNDLE_OK : BUNDLE_DAMAGED;
}

static bool name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool bundle_name_usable(const char *name)
{
    size_t length = strnlen(name, BUNDLE_NAME_BYTES);

    if (length == 0 || length > BUNDLE_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!name_character(name[i]))
            return false;
    }
    return true;
}

bool bundle_vm_named(const struct bundle *bundle, u32 index, const char *name)
{
    return strncmp((const char *)record_at(bundle, index) + VM_FIELD(name), name,
                   BUNDLE_NAME_BYTES) == 0;
}

static bool name_taken(const struct bundle *bundle, u32 index, const char *name)
{
    for (u32 i = 0; i < index; i++) {
        if (bundle_vm_named(bundle, i, name))
            return true;
    }
    return false;
}

static int read_name(const struct bundle *bundle, u32 index, struct bundle_vm_view *view)
{
    const char *name = (const char *)record_at(bundle, index) + VM_FIELD(name);

    if (!bundle_name_usable(name)) {
        snprintf(view->name, sizeof(view->name), "vm%u", index + 1);
        return BUNDLE_BAD_NAME;
    }
    strlcpy(view->name, name, sizeof(view->name));
    return name_taken(bundle, index, view->name) ? BUNDLE_NAME_TAKEN : BUNDLE_OK;
}

/* Reads where a piece is: its offset, then its length. False if it is not wholly inside the bundle,
 * behind the header; without a length there is none. */
static bool read_piece(const struct bundle *bundle, const u8 *place, const u8 **piece, u64 *bytes)
{
    u64 offset = load_le64(place);

    *bytes = load_le64(place + sizeof(offset));
    if (*bytes == 0)
        return true;
    if (offset < sizeof(struct bundle_header) || offset > bundle->total_bytes ||
        *bytes > bundle->total_bytes - offset)
        return false;
    *piece = bundle->bytes + offset;
    return true;
}

int bundle_vm_open(const struct bundle *bundle, u32 index, struct bundle_vm_view *view)
{
    const u8 *record = record_at(bundle, index);

    *view = (struct bundle_vm_view){
        .memory_bytes = load_le64(record + VM_FIELD(memory_bytes)),
        .virt = load_le32(record + VM_FIELD(virt)),
        .traps = load_le32(record + VM_FIELD(traps)),
        .depriv = load_le32(record + VM_FIELD(depriv)),
        .flags = load_le32(record + VM_FIELD(flags)),
        .vcpus = load_le32(record + VM_FIELD(vcpus)),
        .weight = load_le32(record + VM_FIELD(weight)),
        .disk_slot = load_le32(record + VM_FIELD(disk_slot)),
    };
    int error = read_name(bundle, index, view);
    if (error != BUNDLE_OK)
        return error;
    if (strnlen((const char *)record + VM_FIELD(args), BUNDLE_ARGS_BYTES) == BUNDLE_ARGS_BYTES)
        return BUNDLE_BAD_ARGS;
    strlcpy(view->args, (const char *)record + VM_FIELD(args), sizeof(view->args));
    if (!read_piece(bundle, record + VM_FIELD(image_offset), &view->image, &view->image_bytes) ||
        view->image_bytes == 0)
        return BUNDLE_BAD_IMAGE_RANGE;
    if (!read_piece(bundle, record + VM_FIELD(initrd_offset), &view->initrd, &view->initrd_bytes) ||
        !read_piece(bundle, record + VM_FIELD(tree_offset), &view->tree, &view->tree_bytes))
        return BUNDLE_BAD_PIECE_RANGE;
    (void)read_piece(bundle, record + VM_FIELD(symbols_offset), &view->symbols,
                     &view->symbols_bytes);
    if (view->memory_bytes == 0 || !IS_ALIGNED(view->memory_bytes, BUNDLE_MEMORY_UNIT))
        return BUNDLE_BAD_MEMORY_SIZE;
    if (view->virt < BUNDLE_VIRT_PV || view->virt > BUNDLE_VIRT_SHADOW ||
        view->traps > BUNDLE_TRAPS_BOUNCED || view->vcpus == 0 || view->vcpus > BUNDLE_VCPUS_MAX)
        return BUNDLE_BAD_OPTIONS;
    if (view->weight > BUNDLE_WEIGHT_MAX)
        return BUNDLE_BAD_WEIGHT;
    if (view->weight == 0)
        view->weight = BUNDLE_WEIGHT_DEFAULT;
    return BUNDLE_OK;
}

const char *bundle_error_text(int error)
{
    switch ((enum bundle_error)error) {
    case BUNDLE_OK:
        return "no error";
    case BUNDLE_MISSING:
        return "there is no bundle of virtual machines in memory";
    case BUNDLE_BAD_VERSION:
        return "the bundle is of another format version";
    case BUNDLE_CUT_SHORT:
        return "the bundle is cut short";
    case BUNDLE_DAMAGED:
        return "the bundle is damaged";
    case BUNDLE_BAD_NAME:
        return "its name is not 1 to 15 letters, digits, '_' or '-'";
    case BUNDLE_BAD_ARGS:
        return "its arguments are too long";
    case BUNDLE_BAD_IMAGE_RANGE:
        return "its image is missing or lies outside the bundle";
    case BUNDLE_BAD_PIECE_RANGE:
        return "its initrd or device tree lies outside the bundle";
    case BUNDLE_BAD_MEMORY_SIZE:
        return "its memory is not a multiple of 2 MiB";
    case BUNDLE_BAD_OPTIONS:
        return "it asks for options that this build does not have";
    case BUNDLE_BAD_WEIGHT:
        return "its weight is not 1 to 10000";
    case BUNDLE_NAME_TAKEN:
        return "another virtual machine has the same name";
    }
    return "unknown error";
}

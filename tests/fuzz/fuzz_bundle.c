/* SPDX-License-Identifier: MIT */
/*
 * The bundle's reader. The first byte says whether the rest gets a good header (else nothing would
 * get past the checksum). What is accepted must lie within the bytes.
 */
#include <stddef.h>
#include <stdlib.h>

#include "bundle_reader.h"
#include "fnv.h"
#include "string.h"
#include "symbol_table.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static volatile u8 sink;

/* The range lies in the bundle, and can be read. */
static void check_range(const struct bundle *bundle, const u8 *at, u64 bytes)
{
    if (at == NULL || bytes == 0)
        return;
    if (at < bundle->bytes || bytes > bundle->total_bytes ||
        (u64)(at - bundle->bytes) > bundle->total_bytes - bytes)
        abort();
    sink = at[0];
    sink = at[bytes - 1];
}

/* A table of symbols is looked up wherever it lies and whatever it holds. */
static void check_symbols(const struct bundle_vm_view *view)
{
    u64 offset;

    if (symbol_table_find(view->symbols, view->symbols_bytes, view->memory_bytes, &offset) != NULL)
        sink = (u8)offset;
}

static void check_name(const char *name)
{
    size_t length = strnlen(name, BUNDLE_NAME_BYTES);

    if (length == 0 || length > BUNDLE_NAME_MAX)
        abort();
    for (size_t i = 0; i < length; i++) {
        char c = name[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '-' || c == '_'))
            abort();
    }
}

static void repair(u8 *bytes, u64 count)
{
    struct bundle_header header;

    if (count < sizeof(header))
        return;
    memcpy(&header, bytes, sizeof(header));
    memcpy(header.magic, BUNDLE_MAGIC, sizeof(header.magic));
    header.format_version = BUNDLE_FORMAT_VERSION;
    header.vm_count %= 5;
    header.total_bytes = count;
    header.checksum = fnv64_update(FNV64_START, &header, offsetof(struct bundle_header, checksum));
    header.checksum = fnv64_update(header.checksum, bytes + sizeof(header), count - sizeof(header));
    memcpy(bytes, &header, sizeof(header));
}

static void read_all(const u8 *bytes, u64 count)
{
    struct bundle bundle;
    static struct bundle_vm_view view;

    if (bundle_open(&bundle, bytes, count) != BUNDLE_OK)
        return;
    if (bundle.total_bytes > count)
        abort();
    for (u32 i = 0; i < bundle.vm_count; i++) {
        int error = bundle_vm_open(&bundle, i, &view);

        check_name(view.name);
        if (error != BUNDLE_OK) {
            sink = (u8)*bundle_error_text(error);
            continue;
        }
        check_range(&bundle, view.image, view.image_bytes);
        check_range(&bundle, view.initrd, view.initrd_bytes);
        check_range(&bundle, view.tree, view.tree_bytes);
        check_range(&bundle, view.symbols, view.symbols_bytes);
        check_symbols(&view);
        if (strnlen(view.args, BUNDLE_ARGS_BYTES) == BUNDLE_ARGS_BYTES || view.memory_bytes == 0 ||
            view.memory_bytes % (2 << 20) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
    /* The exact size, so that a byte too far is seen; and padding to the length that offsets need.
     */
    size_t padded = bytes +
                    ((data != NULL && bytes > 0 && (data[0] & 2)) ? 3 * BUNDLE_ALIGNMENT : 0);
    u8 *copy;

    if (bytes < 2)
        return 0;
    copy = calloc(1, padded - 1);
    if (copy == NULL)
        abort();
    memcpy(copy, data + 1, bytes - 1);
    if (data[0] & 1)
        repair(copy, padded - 1);
    read_all(copy, padded - 1);
    free(copy);
    return 0;
}

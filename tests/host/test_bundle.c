/* SPDX-License-Identifier: MIT */
/*
 * The bundle reader: damage to the whole refuses the whole, damage to one record costs that record
 * alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bundle_reader.h"

#include "fnv.h"
#include "string.h"

enum { BUNDLE_BYTES = 3 * 4096, VMS = 2 };

static struct bundle_vm *record(u8 *bytes, u32 index)
{
    return (struct bundle_vm *)(bytes + sizeof(struct bundle_header)) + index;
}

static void seal(u8 *bytes)
{
    struct bundle_header *header = (struct bundle_header *)bytes;

    u64 sum = fnv64_update(FNV64_START, bytes, offsetof(struct bundle_header, checksum));
    header->checksum = fnv64_update(sum, bytes + sizeof(*header), BUNDLE_BYTES - sizeof(*header));
}

static u8 *make_bundle(void)
{
    u8 *bytes = calloc(1, BUNDLE_BYTES);
    struct bundle_header *header = (struct bundle_header *)bytes;

    memcpy(header->magic, BUNDLE_MAGIC, sizeof(header->magic));
    header->format_version = BUNDLE_FORMAT_VERSION;
    header->vm_count = VMS;
    header->total_bytes = BUNDLE_BYTES;
    for (u32 i = 0; i < VMS; i++) {
        struct bundle_vm *vm = record(bytes, i);

        strlcpy(vm->name, i == 0 ? "vm1" : "other-VM_2", sizeof(vm->name));
        vm->memory_bytes = 64 << 20;
        vm->image_offset = 4096;
        vm->image_bytes = 100;
        vm->initrd_offset = 8192;
        vm->initrd_bytes = 4096;
        vm->virt = BUNDLE_VIRT_PV;
        vm->vcpus = 1;
        vm->flags = BUNDLE_FLAG_COUNTERS_RAW;
        strlcpy(vm->args, "init=/bin/sh", sizeof(vm->args));
    }
    seal(bytes);
    return bytes;
}

static void a_good_bundle_is_read(void **state)
{
    u8 *bytes = make_bundle();
    struct bundle bundle;
    struct bundle_vm_view view;

    (void)state;
    assert_int_equal(bundle_open(&bundle, bytes, BUNDLE_BYTES), BUNDLE_OK);
    assert_int_equal(bundle.vm_count, VMS);
    assert_int_equal(bundle_vm_open(&bundle, 1, &view), BUNDLE_OK);
    assert_string_equal(view.name, "other-VM_2");
    assert_string_equal(view.args, "init=/bin/sh");
    assert_int_equal(view.memory_bytes, 64 << 20);
    assert_ptr_equal(view.image, bytes + 4096);
    assert_int_equal(view.image_bytes, 100);
    assert_ptr_equal(view.initrd, bytes + 8192);
    assert_int_equal(view.flags, BUNDLE_FLAG_COUNTERS_RAW);
    assert_int_equal(view.weight, BUNDLE_WEIGHT_DEFAULT);
    record(bytes, 1)->weight = BUNDLE_WEIGHT_MAX;
    assert_int_equal(bundle_vm_open(&bundle, 1, &view), BUNDLE_OK);
    assert_int_equal(view.weight, BUNDLE_WEIGHT_MAX);
    assert_null(view.tree);
    assert_int_equal(view.disk_slot, 0);
    record(bytes, 0)->initrd_bytes = 0;
    record(bytes, 0)->tree_offset = 8192;
    record(bytes, 0)->tree_bytes = 4096;
    record(bytes, 0)->disk_slot = 8;
    assert_int_equal(bundle_vm_open(&bundle, 0, &view), BUNDLE_OK);
    assert_null(view.initrd);
    assert_ptr_equal(view.tree, bytes + 8192);
    assert_int_equal(view.tree_bytes, 4096);
    assert_int_equal(view.disk_slot, 8);
    free(bytes);
}

static void damage_to_the_whole_refuses_it(void **state)
{
    struct bundle bundle;

    (void)state;
    for (u32 at = 0; at < BUNDLE_BYTES; at += at < 600 ? 1 : 997) {
        u8 *bytes = make_bundle();

        bytes[at] ^= 0x10;
        assert_int_not_equal(bundle_open(&bundle, bytes, BUNDLE_BYTES), BUNDLE_OK);
        free(bytes);
    }
}

static void a_short_bundle_is_refused_at_every_length(void **state)
{
    u8 *whole = make_bundle();

    (void)state;
    for (u32 bytes = 0; bytes < BUNDLE_BYTES; bytes += bytes < 1200 ? 1 : 997) {
        u8 *cut = malloc(bytes);
        struct bundle bundle;

        memcpy(cut, whole, bytes);
        int error = bundle_open(&bundle, cut, bytes);
        assert_int_equal(error,
                         bytes < sizeof(struct bundle_header) ? BUNDLE_MISSING : BUNDLE_CUT_SHORT);
        free(cut);
    }
    free(whole);
}

static void a_sealed_bundle_with_bad_numbers_is_refused(void **state)
{
    struct bundle bundle;

    (void)state;
    for (int which = 0; which < 4; which++) {
        u8 *bytes = make_bundle();
        struct bundle_header *header = (struct bundle_header *)bytes;
        static const int errors[] = {BUNDLE_DAMAGED, BUNDLE_DAMAGED, BUNDLE_CUT_SHORT,
                                     BUNDLE_CUT_SHORT};

        if (which == 0)
            header->vm_count = 0;
        else if (which == 1)
            header->vm_count = 24;
        else
            header->total_bytes = which == 2 ? UINT64_MAX : 8;
        assert_int_equal(bundle_open(&bundle, bytes, BUNDLE_BYTES), errors[which]);
        free(bytes);
    }
}

static int first_vm_error(void (*damage)(struct bundle_vm *vm), char name[BUNDLE_NAME_BYTES])
{
    u8 *bytes = make_bundle();
    struct bundle bundle;
    struct bundle_vm_view view;

    damage(record(bytes, 0));
    seal(bytes);
    assert_int_equal(bundle_open(&bundle, bytes, BUNDLE_BYTES), BUNDLE_OK);
    int error = bundle_vm_open(&bundle, 0, &view);
    strlcpy(name, view.name, BUNDLE_NAME_BYTES);
    if (error != BUNDLE_OK && error != BUNDLE_NAME_TAKEN)
        assert_int_equal(bundle_vm_open(&bundle, 1, &view), BUNDLE_OK);
    free(bytes);
    return error;
}

static void bad_name(struct bundle_vm *vm)
{
    vm->name[1] = '\033';
}
static void empty_name(struct bundle_vm *vm)
{
    vm->name[0] = '\0';
}
static void long_name(struct bundle_vm *vm)
{
    memset(vm->name, 'a', sizeof(vm->name));
}
static void endless_args(struct bundle_vm *vm)
{
    memset(vm->args, 'a', sizeof(vm->args));
}
static void image_behind(struct bundle_vm *vm)
{
    vm->image_offset = BUNDLE_BYTES - 99;
}
static void image_wraps(struct bundle_vm *vm)
{
    vm->image_offset = UINT64_MAX - 10;
}

static void image_end_wraps(struct bundle_vm *vm)
{
    vm->image_bytes = UINT64_MAX - vm->image_offset + 1;
}
static void image_huge(struct bundle_vm *vm)
{
    vm->image_bytes = UINT64_MAX;
}
static void image_missing(struct bundle_vm *vm)
{
    vm->image_bytes = 0;
}
static void image_in_header(struct bundle_vm *vm)
{
    vm->image_offset = 0;
}
static void initrd_behind(struct bundle_vm *vm)
{
    vm->initrd_bytes++;
}
static void memory_none(struct bundle_vm *vm)
{
    vm->memory_bytes = 0;
}
static void memory_odd(struct bundle_vm *vm)
{
    vm->memory_bytes = 4096;
}
static void virt_unknown(struct bundle_vm *vm)
{
    vm->virt = 9;
}
static void traps_unknown(struct bundle_vm *vm)
{
    vm->traps = 9;
}
static void no_vcpu(struct bundle_vm *vm)
{
    vm->vcpus = 0;
}

static void weight_absurd(struct bundle_vm *vm)
{
    vm->weight = BUNDLE_WEIGHT_MAX + 1;
}

static void tree_behind(struct bundle_vm *vm)
{
    vm->tree_offset = BUNDLE_BYTES - 511;
    vm->tree_bytes = 512;
}

static void tree_in_header(struct bundle_vm *vm)
{
    vm->tree_bytes = 512;
}

static void tree_wraps(struct bundle_vm *vm)
{
    vm->tree_offset = UINT64_MAX - 511;
    vm->tree_bytes = 1024;
}

static void damage_to_a_record_costs_that_record(void **state)
{
    static const struct {
        void (*damage)(struct bundle_vm *vm);
        int error;
    } cases[] = {
        {bad_name, BUNDLE_BAD_NAME},
        {empty_name, BUNDLE_BAD_NAME},
        {long_name, BUNDLE_BAD_NAME},
        {endless_args, BUNDLE_BAD_ARGS},
        {image_behind, BUNDLE_BAD_IMAGE_RANGE},
        {image_wraps, BUNDLE_BAD_IMAGE_RANGE},
        {image_end_wraps, BUNDLE_BAD_IMAGE_RANGE},
        {image_huge, BUNDLE_BAD_IMAGE_RANGE},
        {image_missing, BUNDLE_BAD_IMAGE_RANGE},
        {image_in_header, BUNDLE_BAD_IMAGE_RANGE},
        {initrd_behind, BUNDLE_BAD_PIECE_RANGE},
        {tree_behind, BUNDLE_BAD_PIECE_RANGE},
        {tree_in_header, BUNDLE_BAD_PIECE_RANGE},
        {tree_wraps, BUNDLE_BAD_PIECE_RANGE},
        {memory_none, BUNDLE_BAD_MEMORY_SIZE},
        {memory_odd, BUNDLE_BAD_MEMORY_SIZE},
        {virt_unknown, BUNDLE_BAD_OPTIONS},
        {traps_unknown, BUNDLE_BAD_OPTIONS},
        {no_vcpu, BUNDLE_BAD_OPTIONS},
        {weight_absurd, BUNDLE_BAD_WEIGHT},
    };
    char name[BUNDLE_NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(first_vm_error(cases[i].damage, name), cases[i].error);
        assert_string_equal(name, "vm1");
    }
}

static void a_name_is_taken_once(void **state)
{
    u8 *bytes = make_bundle();
    struct bundle bundle;
    struct bundle_vm_view view;

    (void)state;
    strlcpy(record(bytes, 1)->name, "vm1", BUNDLE_NAME_BYTES);
    seal(bytes);
    assert_int_equal(bundle_open(&bundle, bytes, BUNDLE_BYTES), BUNDLE_OK);
    assert_int_equal(bundle_vm_open(&bundle, 0, &view), BUNDLE_OK);
    assert_int_equal(bundle_vm_open(&bundle, 1, &view), BUNDLE_NAME_TAKEN);
    free(bytes);
}

static void every_error_has_a_text(void **state)
{
    (void)state;
    for (int error = BUNDLE_BAD_WEIGHT; error <= BUNDLE_OK; error++)
        assert_string_not_equal(bundle_error_text(error), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_bundle_is_read),
        cmocka_unit_test(damage_to_the_whole_refuses_it),
        cmocka_unit_test(a_short_bundle_is_refused_at_every_length),
        cmocka_unit_test(a_sealed_bundle_with_bad_numbers_is_refused),
        cmocka_unit_test(damage_to_a_record_costs_that_record),
        cmocka_unit_test(a_name_is_taken_once),
        cmocka_unit_test(every_error_has_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

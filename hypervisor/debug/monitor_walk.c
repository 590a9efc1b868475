/* SPDX-License-Identifier: MIT */
/*
 * The monitor's `walk VM ADDRESS`: what a guest-virtual address translates to, entry by entry, and
 * why an access would fault.
 */
#include "debug/monitor_commands.h"

#include "string.h"

enum { HEX_SHIFT = 4, HEX_DIGITS_MAX = 16, ACCESS_KINDS = 6 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A hexadecimal number, with or without 0x. */
static bool parse_address(const char *text, u64 *address)
{
    u32 digits = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    *address = 0;
    for (; hex_digit(*text) >= 0; text++, digits++)
        *address = *address << HEX_SHIFT | (u64)hex_digit(*text);
    return *text == '\0' && digits > 0 && digits <= HEX_DIGITS_MAX;
}

static void say_entry(const struct monitor_job *job, const struct virt_walk_entry *entry)
{
    monitor_say(job, "  level %u: entry %3u of the table at machine %010lx: %016lx  %s\n",
                entry->level, entry->index, entry->table.value, entry->value, entry->flags);
    monitor_row(job,
                "\"level\":%u,\"index\":%u,\"table_machine\":\"0x%lx\",\"entry\":\"0x%lx\","
                "\"flags\":\"%s\"",
                entry->level, entry->index, entry->table.value, entry->value, entry->flags);
}

static void say_result(const struct monitor_job *job, u64 address, const struct virt_walk *walk)
{
    if (!walk->mapped) {
        monitor_say(job, "  gva %lx -> nothing\n", address);
    } else if (!walk->owned) {
        monitor_say(job, "  gva %lx -> machine %lx, which is not this VM's\n", address,
                    walk->machine.value);
    } else {
        monitor_say(job, "  gva %lx -> gpa %lx (%s) -> machine %lx\n", address,
                    walk->physical.value, walk->pool ? "pool" : "data", walk->machine.value);
    }
    monitor_row_begin(job);
    monitor_row_add(job, "\"gva\":\"0x%lx\",\"mapped\":%s", address,
                    walk->mapped ? "true" : "false");
    if (walk->mapped)
        monitor_row_add(job, ",\"machine\":\"0x%lx\"", walk->machine.value);
    if (walk->owned)
        monitor_row_add(job, ",\"gpa\":\"0x%lx\",\"pool\":%s", walk->physical.value,
                        walk->pool ? "true" : "false");
    monitor_row_end(job);
}

static void say_access(const struct monitor_job *job, const char *who, const char *what,
                       const char *why)
{
    if (why == NULL)
        monitor_say(job, "  %-6s %-5s  yes\n", who, what);
    else
        monitor_say(job, "  %-6s %-5s  fault: %s\n", who, what, why);
    monitor_row(job, "\"mode\":\"%s\",\"access\":\"%s\",\"allowed\":%s,\"why\":\"%s\"", who, what,
                why == NULL ? "true" : "false", why == NULL ? "" : why);
}

/* One of the six kinds of access. */
static void say_access_kind(const struct monitor_job *job, u32 kind)
{
    enum { KINDS_OF_ONE = 3 };
    const struct virt_access *access = kind < KINDS_OF_ONE ? &job->walk.user : &job->walk.kernel;
    const char *who = kind < KINDS_OF_ONE ? "user" : "kernel";

    if (kind % KINDS_OF_ONE == 0)
        say_access(job, who, "read", access->read);
    else if (kind % KINDS_OF_ONE == 1)
        say_access(job, who, "write", access->write);
    else
        say_access(job, who, "fetch", access->fetch);
}

/* Walks and remembers what is found; false after having failed the job. */
static bool walk(struct monitor_job *job)
{
    char name[MONITOR_LINE_BYTES];
    const char *rest;
    struct vm *vm;

    strlcpy(name, job->argument, sizeof(name));
    char *space = strchr(name, ' ');
    if (space == NULL) {
        monitor_fail(job, "give a VM and an address: walk vm1 10000");
        return false;
    }
    *space = '\0';
    rest = space + 1;
    while (*rest == ' ')
        rest++;
    vm = monitor_vm(job, name);
    if (vm == NULL)
        return false;
    if (!parse_address(rest, &job->address)) {
        monitor_fail(job, "%s is not an address of up to %d hexadecimal digits", rest,
                     HEX_DIGITS_MAX);
        return false;
    }
    if (vm->state != VM_RUNNING) {
        monitor_fail(job, "%s is %s", vm->name, monitor_state(vm));
        return false;
    }
    vm->virt->walk(&vm->vcpus[0], gva(job->address), &job->walk);
    return true;
}

/* The walk; then a line a step: its entries, the result, the accesses. */
enum monitor_step monitor_walk_step(struct monitor_job *job)
{
    const u32 result = job->walk.count + 1, accesses = result + 1,
              last = accesses + ACCESS_KINDS - 1;

    if (job->step == 0)
        return walk(job) ? STEP_MORE : STEP_DONE;
    if (job->step < result)
        say_entry(job, &job->walk.entries[job->step - 1]);
    else if (job->step == result)
        say_result(job, job->address, &job->walk);
    else
        say_access_kind(job, job->step - accesses);
    return job->step < last ? STEP_MORE : STEP_DONE;
}

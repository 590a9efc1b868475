/* SPDX-License-Identifier: MIT */
/*
 * The monitor's commands that check Candor itself: `audit`, of the VMs' memory, and `stay`, of the
 * time in the hypervisor.
 */
#include "debug/monitor_commands.h"

#include "arch/arch.h"
#include "core/audit.h"
#include "debug/stay.h"

enum monitor_step monitor_audit_step(struct monitor_job *job)
{
    struct audit_result result = {.violations = 0};

    if (job->step == 0) {
        monitor_say(job, "audit: the machine stands still meanwhile\n");
        return STEP_MORE;
    }
    u64 start = arch_time_now();
    audit_run(&result);
    struct monitor_time took = monitor_seconds(arch_time_now() - start);
    monitor_row(job, "\"frames\":%lu,\"tables\":%lu,\"entries\":%lu,\"violations\":%lu",
                result.frames, result.tables, result.entries, result.violations);
    if (result.violations > 0)
        return monitor_fail(job, "BROKEN: %lu violations, the first: %s", result.violations,
                            result.first);
    monitor_say(job, "audit: clean: %lu frames, %lu tables, %lu entries in %s s\n", result.frames,
                result.tables, result.entries, took.text);
    return STEP_DONE;
}

enum monitor_step monitor_stay_step(struct monitor_job *job)
{
    static u32 kinds[2]; /* a person's and a program's: how far the list has come */
    u32 *kind = &kinds[job->for_program];

    if (job->step == 0)
        *kind = 0;
    while (*kind < STAY_KINDS && stay_longest(*kind) == 0)
        ++*kind;
    if (*kind < STAY_KINDS) {
        monitor_say(job, "stay: %6lu %s\n", stay_longest(*kind), stay_name(*kind));
        monitor_row(job, "\"entry\":\"%s\",\"instructions\":%lu", stay_name(*kind),
                    stay_longest(*kind));
    } else if (job->step == 0) {
        return monitor_fail(job, "nothing is measured; start build/debug/candor.elf, under icount");
    }
    return ++*kind < STAY_KINDS ? STEP_MORE : STEP_DONE;
}

/* SPDX-License-Identifier: MIT */
/* System calls that touch time, memory, the machine as a whole. */
#include "frank/procinfo.h"
#include "kernel/account.h"
#include "kernel/block/buffer.h"
#include "kernel/fs/fs.h"
#include "kernel/kmalloc.h"
#include "kernel/main.h"
#include "kernel/space.h"
#include "kernel/syscall.h"
#include "spare_spaces.h"

enum info_limits {
    REPORT_CHUNK = 4, /* process reports copied out at a time */
};

long sys_nanosleep(u64 ns)
{
    u64 deadline = timer_deadline(ns);
    int error;

    do {
        error = thread_sleep_until(deadline);
    } while (error != 0 && !thread_has_signal());
    thread_current()->restarts_call = false;
    return error;
}

long sys_clock(u64 clock)
{
    switch ((enum frank_clock)clock) {
    case FRANK_CLOCK_REALTIME:
        return (long)timer_wall_ns();
    case FRANK_CLOCK_MONOTONIC:
        return (long)timer_ns_from_ticks(plat_time_now());
    case FRANK_CLOCK_TICKS:
        return (long)plat_time_now();
    }
    return -EINVAL;
}

long sys_times(u64 address, u64 flags)
{
    struct frank_times report = {.ticks_per_second = kernel_plat_info->timebase_hz};
    u64 first = flags >> FRANK_TIMES_CPU_SHIFT, end = first;

    if ((flags & ~(u64)FRANK_TIMES_WATCH & (BIT(FRANK_TIMES_CPU_SHIFT) - 1)) != 0 ||
        first > cpu_count)
        return -EINVAL;
    if (first == 0) { /* all of them */
        first = 1;
        end = cpu_count;
    }
    report.cpu_count = end - first + 1;
    for (; first <= end; first++) {
        struct plat_times times;

        report.user_ticks += account_user_ticks(&cpus[first - 1].user_ticks, (u32)first - 1,
                                                &times);
        report.ticks += times.now;
        report.idle_ticks += times.idle;
        report.stolen_ticks += times.stolen;
    }
    if (copy_to_user(address, &report, sizeof(report)) != 0)
        return -EFAULT;
    if ((flags & FRANK_TIMES_WATCH) != 0) {
        SPIN_GUARD(&process_lock);
        account_watch_locked(process_current());
    }
    return 0;
}

long sys_counters(u64 address)
{
    struct frank_counters counters;

    plat_counters(&counters);
    return copy_to_user(address, &counters, sizeof(counters));
}

long sys_procinfo(u64 address, u64 count)
{
    struct frank_procinfo reports[REPORT_CHUNK];
    u64 done = 0, got;
    i32 first = 0;

    do {
        got = process_report(first, reports, min(count - done, (u64)REPORT_CHUNK));
        if (got == 0)
            break;
        if (copy_to_user(address + done * sizeof(*reports), reports, got * sizeof(*reports)) != 0)
            return -EFAULT;
        first = reports[got - 1].pid + 1;
        done += got;
    } while (done < count);
    return (long)done;
}

long sys_meminfo(u64 address, u64 flags)
{
    struct kmalloc_usage usage;
    struct frank_meminfo info;

    if ((flags & ~(u64)FRANK_MEMINFO_TRIM) != 0)
        return -EINVAL;
    if ((flags & FRANK_MEMINFO_TRIM) != 0) {
        thread_wait_for_exits();
        thread_destroy(NULL);
        spare_trim();
        if (sys_sync() == 0)
            buffer_reclaim(page_total_count());
    }
    usage = kmalloc_usage();
    info = (struct frank_meminfo){
        .total_pages = page_total_count(),
        .free_pages = page_free_count(),
        .process_count = process_count(),
        .zeroed_pages = page_zeroed_count(),
        .slab_pages = usage.slab_pages,
        .slab_bytes = usage.used_bytes,
        .cached_pages = buffer_page_count(),
    };
    return copy_to_user(address, &info, sizeof(info));
}

/* What was not lost until now is not lost by this; if it cannot be kept, the machine's owner is
   told of a failure. */
long sys_reboot(u64 how)
{
    bool failed = sys_sync() != 0;

    switch (how) {
    case FRANK_REBOOT_POWEROFF:
        plat_poweroff(failed);
    case FRANK_REBOOT_RESTART:
        plat_reboot();
    default:
        return -EINVAL;
    }
}

long sys_brk(u64 address)
{
    return space_set_break(process_current()->space, address);
}

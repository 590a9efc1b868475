/* SPDX-License-Identifier: MIT */
/* The machine's end, by the firmware's call for it, which every platform has (SBI
   specification 1.0, chapter 9). */
#include "kernel/timer.h"
#include "platform.h"
#include "riscv.h"
#include "sbi.h"

/* The call does not return if it succeeds; if it does, the CPU waits without end. */
static NORETURN void system_reset(u64 kind, u64 reason)
{
    (void)sbi_call(SBI_SRST, SBI_SRST_RESET, kind, reason);
    csr_write(sie, 0);
    for (;;)
        plat_idle(TIMER_NEVER);
}

void plat_poweroff(bool failed)
{
    system_reset(SBI_SRST_SHUTDOWN, failed ? SBI_SRST_FAILURE : SBI_SRST_NO_REASON);
}

void plat_reboot(void)
{
    system_reset(SBI_SRST_COLD_REBOOT, SBI_SRST_NO_REASON);
}

/* SPDX-License-Identifier: MIT */
/* poweroff: end the machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "frank_system.h"

int main(void)
{
    (void)frank_reboot(FRANK_REBOOT_POWEROFF);
    fprintf(stderr, "poweroff: %s\n", strerror(errno));
    return 1;
}

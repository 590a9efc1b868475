/* SPDX-License-Identifier: MIT */
/* reboot: end the machine and start it again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "frank_system.h"

int main(void)
{
    (void)frank_reboot(FRANK_REBOOT_RESTART);
    fprintf(stderr, "reboot: %s\n", strerror(errno));
    return 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * The ordinary build has no more commands; debug/inject, which the debug build links, replaces
 * this.
 */
#include "debug/monitor_commands.h"

#define WEAK __attribute__((weak))

const u32 WEAK monitor_more_count = 0;
const struct monitor_command WEAK monitor_more_commands[1] = {{NULL, NULL, NULL, NULL}};

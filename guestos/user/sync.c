/* SPDX-License-Identifier: MIT */
/* sync: what was written to files survives the machine when this has ended. */
#include <unistd.h>

int main(void)
{
    sync();
    return 0;
}

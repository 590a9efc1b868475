# SPDX-License-Identifier: MIT
# Loads the symbols of Candor and of Frank and connects to the QEMU that `make qemu-gdb` started.
set confirm off
set pagination off
set architecture riscv:rv64
file build/candor.elf
add-symbol-file build/frank-pv.elf
python
import os
port = os.environ.get("GDBPORT")
if not port and os.path.exists("build/gdb-port"):
    port = open("build/gdb-port").read().strip()
if port:
    gdb.execute(f"target remote 127.0.0.1:{port}")
else:
    print("No QEMU waits: start one with `make qemu-gdb` in another terminal.")
end

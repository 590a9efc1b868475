# SPDX-License-Identifier: MIT
"""The device tree of an unmodified guest's virtual machine: QEMU's `virt`, as far as Candor models it."""

import subprocess

from .problem import Problem

MEMORY_BASE = 0x80000000
PAGE = 4096
ISA = "rv64imafdc_zicsr_zifencei"
SSTC = "_sstc"
DISK = """\
        virtio_mmio@10001000 {
            compatible = "virtio,mmio";
            reg = <0 0x10001000 0 0x1000>;
            interrupt-parent = <&plic>;
            interrupts = <1>;
        };
"""
CPU = """\
        cpu@{number} {{
            device_type = "cpu";
            compatible = "riscv";
            reg = <{number}>;
            status = "okay";
            riscv,isa = "{isa}";
            mmu-type = "riscv,sv39";
            cpu{number}_intc: interrupt-controller {{
                compatible = "riscv,cpu-intc";
                #interrupt-cells = <1>;
                interrupt-controller;
            }};
        }};
"""
SOURCE = """/dts-v1/;
/ {{
    #address-cells = <2>;
    #size-cells = <2>;
    compatible = "riscv-virtio";
    model = "riscv-virtio,candor";
    chosen {{
        bootargs = "{args}";
        stdout-path = "/soc/serial@10000000";
{initrd}    }};
    memory@80000000 {{
        device_type = "memory";
        reg = <0 0x80000000 {memory}>;
    }};
    cpus {{
        #address-cells = <1>;
        #size-cells = <0>;
        timebase-frequency = <10000000>;
{cpus}    }};
    soc {{
        #address-cells = <2>;
        #size-cells = <2>;
        compatible = "simple-bus";
        ranges;
        test@100000 {{
            compatible = "sifive,test1", "sifive,test0", "syscon";
            reg = <0 0x100000 0 0x1000>;
        }};
        rtc@101000 {{
            compatible = "google,goldfish-rtc";
            reg = <0 0x101000 0 0x1000>;
        }};
        plic: plic@c000000 {{
            compatible = "sifive,plic-1.0.0", "riscv,plic0";
            reg = <0 0xc000000 0 0x600000>;
            riscv,ndev = <95>;
            #interrupt-cells = <1>;
            #address-cells = <0>;
            interrupt-controller;
            interrupts-extended = <{contexts}>;
        }};
        serial@10000000 {{
            compatible = "ns16550a";
            reg = <0 0x10000000 0 0x100>;
            clock-frequency = <3686400>;
            interrupt-parent = <&plic>;
            interrupts = <10>;
        }};
{disk}    }};
}};
"""


def cells(value):
    return f"{value >> 32:#x} {value & 0xFFFFFFFF:#x}"


def of_machine(machine):
    """Returns the blob for a vmspec.Machine. The initial RAM disk ends where memory ends, as Candor places it."""
    initrd = ""
    if machine.initrd_data:
        start = (MEMORY_BASE + machine.memory_bytes - len(machine.initrd_data)) // PAGE * PAGE
        initrd = f"        linux,initrd-start = <{cells(start)}>;\n"
        initrd += f"        linux,initrd-end = <{cells(start + len(machine.initrd_data))}>;\n"
    args = machine.args.replace("\\", "\\\\").replace('"', '\\"')
    isa = ISA + (SSTC if machine.sstc == "on" else "")
    disk = DISK if machine.drive else ""
    cpus = "".join(CPU.format(number=number, isa=isa) for number in range(machine.vcpus))
    contexts = " ".join(f"&cpu{number}_intc 11 &cpu{number}_intc 9" for number in range(machine.vcpus))
    source = SOURCE.format(
        args=args, initrd=initrd, memory=cells(machine.memory_bytes), cpus=cpus, contexts=contexts, disk=disk
    )
    try:
        made = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=source.encode(), capture_output=True, check=False)
    except OSError as error:
        raise Problem(f"dtc cannot be run ({error.strerror}); install device-tree-compiler") from error
    if made.returncode != 0:
        raise Problem(f"dtc refused the device tree: {made.stderr.decode(errors='replace').strip()}")
    return made.stdout

# SPDX-License-Identifier: MIT
"""The command line of tools/candor."""

import argparse
import json
import os
import shlex
import sys

from . import abi, between, bundle, qemu, trace, vmspec
from .problem import KIB, MIB, Problem, parse_size, read_file, show_size

VERSION = "0.1"
EXIT_FAILED, EXIT_REFUSED = 1, 2
EXIT_PANIC = 101  # PANIC_STATUS of hypervisor/debug/panic.h
# Candor's own share of the machine: below the bundle, and its boot-time heap behind it.
RAM_BASE = 0x80000000
HEAP_LEAST = 8 * MIB
HEAP_PER_GUEST_PAGE = 64
MEMORY_UNIT = 128 * MIB

VM_HELP = """\
one virtual machine; repeat for more. Options, separated by commas (a comma inside a value is written
twice, ',,'; a value may hold spaces and '='): image=PATH the kernel, an ELF file, for virt=pv with Candor's
note; raw=PATH in its place: a file without a format, which is loaded and entered at 0x80200000, of an unmodified
kernel; name=NAME (vm1, vm2, ...); mem=SIZE (64M); virt=pv|shadow, shadow: an unmodified kernel (pv);
depriv=s|u, the mode of an unmodified kernel (s); sstc=on|off, whether its processor has stimecmp (on); disk=PATH its disk,
a file of whole sectors of 512 bytes that it writes to (PATH:ro: that it only reads); traps=direct|bounced, where traps of a
paravirtual machine's user code enter first (direct); initrd=PATH; args=TEXT for the kernel; counters=virtual|raw, whether cycle
and instret are the machine's own (virtual); start=yes|no, no: only when the monitor's `create` asks for it;
fastpaths=yes|no, whether assembly serves the hottest calls (yes);
weight=N from 1 to 10000, the part of a busy hart that each of its vCPUs gets beside others (100); vcpus=N from 1 to 8,
the processors of a paravirtual machine (1)"""


def report(line):
    print(f"candor: {line}", file=sys.stderr)


class Parser(argparse.ArgumentParser):
    """Says what is wrong with its words in one line."""

    def error(self, message):
        report(f"{message} ({self.prog} --help lists the options)")
        sys.exit(EXIT_REFUSED)


def machine_options():
    """The options that `run` and `native` share."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--smp", type=int, default=1, metavar="N", help="harts of the machine (1)")
    shared.add_argument("--mem", metavar="SIZE", help="memory of the machine (what is needed)")
    shared.add_argument("--cpu", default="", metavar="EXTS", help="changes to the pinned extensions: h=true,zbb=false")
    shared.add_argument("--icount", action="store_true", help="count instructions: time follows execution")
    shared.add_argument("--gdb", nargs="?", type=int, const=0, metavar="PORT", help="wait for gdb, on a free port")
    shared.add_argument("--dry-run", action="store_true", help="print the QEMU command and stop")
    return shared


def arguments():
    parser = Parser(
        prog="candor",
        description="Starts virtual machines under Candor, or Frank on the bare machine, in QEMU.",
        epilog="QEMU=path names the emulator, QEMUEXTRA holds options to add. The exit status is QEMU's: "
        f"{EXIT_PANIC} after a fault of Candor's own; 2 when nothing could be started.",
    )
    parser.add_argument("--version", action="version", version=f"candor {VERSION}, ABI version {abi.version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="{run,native,ctl,pack}")
    shared = machine_options()
    build = os.environ.get("BUILD") or os.path.join(abi.ROOT, "build")

    run = commands.add_parser("run", parents=[shared], help="boot Candor with virtual machines")
    run.add_argument("--vm", action="append", default=[], metavar="OPTIONS", help=VM_HELP)
    run.add_argument("--hypervisor", default=os.environ.get("CANDOR") or os.path.join(build, "candor.elf"),
                     metavar="PATH", help="Candor's image (CANDOR=path, build/candor.elf)")  # fmt: skip
    run.add_argument("--bundle", metavar="PATH", help="a bundle packed before, in place of --vm")
    run.add_argument("--trace", metavar="FILE", help="write a trace: for Perfetto, or as records when FILE ends in .records")
    run.add_argument("--trace-detail", action="store_true", help="trace exits too, and every return of a bounced trap")
    run.add_argument("--trace-at", type=lambda text: int(text, 0), action="append", metavar="ADDRESS", help="read records only where "
                     "the machine is about to execute what stands there, and at its end: with the newest, none missing")  # fmt: skip

    run.add_argument("--log", metavar="DIR", help="keep what each machine says in DIR/vm-NAME.log, without names and "
                     "control characters, and what Candor says in DIR/candor.log")  # fmt: skip
    run.add_argument("--ctl", nargs="?", metavar="PATH", const=socket_path(build), help="let programs give the monitor's "
                     "commands (candor ctl) through this socket (build/ctl.sock)")  # fmt: skip

    ctl = commands.add_parser("ctl", help="give a command to the monitor of a machine that was started with --ctl",
                              description="Prints the answer as JSON: {\"ok\": true or false, \"error\": text, "
                              "\"result\": [rows]}. The exit status is 0 if the command did what it should, 1 if not, "
                              "2 when no machine answers.")  # fmt: skip
    ctl.add_argument("--socket", metavar="PATH", default=socket_path(build), help="the machine's socket (build/ctl.sock)")
    ctl.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="as typed in the monitor: help lists them")

    native = commands.add_parser("native", parents=[shared], help="boot Frank on the bare machine, with OpenSBI")
    native.add_argument("--image", default=os.path.join(build, "frank-native.elf"), metavar="PATH")
    native.add_argument("--initrd", metavar="PATH")
    native.add_argument("--args", default="", metavar="TEXT", help="arguments for the kernel")
    for command, whose in ((native, "of the machine: vda, vdb, ...; up to eight"), (run, "of --bundle's virtual machines, in their order")):
        command.add_argument("--disk", action="append", default=[], metavar="FILE[:ro]",
                             help=f"a disk {whose}; it is written to, but for one with ':ro'")  # fmt: skip

    pack = commands.add_parser("pack", help="write the bundle to a file")
    pack.add_argument("--vm", action="append", default=[], metavar="OPTIONS", help="as for run")
    pack.add_argument("--output", required=True, metavar="PATH")
    for command in (run, pack):
        command.add_argument("--scheduler", choices=[*bundle.SCHEDULERS], help="who runs when more than one could: each by its "
                             "weight, or all in turns (weighted; of a bundle, what it was packed with)")  # fmt: skip
        command.add_argument("--unchecked", action="store_true", help="pack images as they are: Candor refuses them")
    return parser


def socket_path(build):
    """The control socket's usual place, as short as can be: a socket's path has at most 107 bytes."""
    return os.path.relpath(os.path.join(build, "ctl.sock"))


def bundle_flags(options):
    flags = bundle.FLAG_MARKS if getattr(options, "log", None) else 0
    if getattr(options, "trace", None):
        flags |= bundle.FLAG_TRACE | (bundle.FLAG_TRACE_DETAIL if options.trace_detail else 0)
    return flags | bundle.SCHEDULERS.get(options.scheduler, 0)


def make_bundle(options):
    """Returns (bundle, bytes of memory that the virtual machines take together, their drives by slot)."""
    if not options.vm:
        raise Problem("no virtual machine is given (--vm image=PATH)")
    machines = vmspec.parse_machines(options.vm, report, check=not options.unchecked)
    if not machines:
        raise Problem("no virtual machine is left to start")
    weighed = [machine.name for machine in machines if machine.weight]
    if weighed and options.scheduler == "round-robin":
        raise Problem(f"vm {weighed[0]}: round robin knows no weights: leave out weight= or --scheduler")
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    drives = [machine.drive for machine in machines if machine.drive]
    return bundle.pack(machines, colour, bundle_flags(options)), sum(machine.memory_bytes for machine in machines), drives


def change_bundle(packed, options):
    """Returns a bundle that was packed before, as the options want it."""
    if options.scheduler:
        packed = bundle.with_flags(packed, bundle.SCHEDULERS[options.scheduler], bundle.FLAG_ROUND_ROBIN)
    return bundle.with_flags(packed, bundle.FLAG_MARKS) if options.log else packed


def memory_needed(bundle_bytes, guest_bytes):
    """What the machine needs at least: Candor, the bundle, its heap and the guests."""
    heap = HEAP_LEAST + guest_bytes // (4 * KIB) * HEAP_PER_GUEST_PAGE
    return bundle.LOAD_ADDRESS - RAM_BASE + bundle_bytes + heap + guest_bytes


def memory_option(given, needed):
    """Returns bytes of machine memory: what was asked for, or what is needed."""
    if not given:
        return max(2 * MEMORY_UNIT, -(-needed // MEMORY_UNIT) * MEMORY_UNIT)
    memory = parse_size(given, "--mem")
    if memory < needed:
        raise Problem(f"--mem {show_size(memory)} is too little: this needs {-(-needed // MIB)}M")
    return memory


def run(options):
    for name in ("log", "ctl", "trace"):
        if getattr(options, name) == "":
            raise Problem(f"--{name} is empty: give it a place, or leave it out")
    if options.bundle:
        if options.vm:
            raise Problem("--bundle and --vm exclude each other")
        if options.trace:
            raise Problem("--trace needs --vm: whether to trace is written in the bundle")
        packed, guest_bytes, drives = read_file(options.bundle, "bundle"), 0, list(map(qemu.parse_drive, options.disk))
        packed = change_bundle(packed, options)
    elif options.disk:
        raise Problem("--disk is for --bundle: with --vm, disk=PATH says whose it is")
    else:
        packed, guest_bytes, drives = make_bundle(options)
    options.names = bundle.names(packed)
    hypervisor = read_file(options.hypervisor, "hypervisor")
    memory = memory_option(options.mem, memory_needed(len(packed), guest_bytes))
    if options.bundle and not options.log and not options.scheduler:
        path = options.bundle
    elif options.dry_run:
        path = os.path.join(abi.ROOT, "build", "dry-run.bundle")
        write_file(path, packed)
    else:
        path = qemu.memory_file(packed)
    if "," in path:
        raise Problem(f"a path for QEMU cannot hold a comma: {path}")
    command = qemu.base_command(options, piped=bool(options.log or options.ctl))
    command += ["-m", f"{memory // MIB}M", "-bios", options.hypervisor]
    command += ["-device", f"loader,file={path},addr={bundle.LOAD_ADDRESS:#x},force-raw=on"]
    command += qemu.disk_arguments(drives)
    if options.trace:
        return trace.run(command + qemu.extra_arguments(), options, hypervisor, memory)
    return start(command, options)


def native(options):
    for path, what in ((options.image, "image"), (options.initrd, "initrd")):
        if path:
            read_file(path, what)
    command = qemu.base_command(options)
    command += ["-m", f"{memory_option(options.mem, 0) // MIB}M", "-bios", "default", "-kernel", options.image]
    if options.initrd:
        command += ["-initrd", options.initrd]
    command += qemu.disk_arguments(list(map(qemu.parse_drive, options.disk)))
    if options.args:
        command += ["-append", options.args]
    return start(command, options)


def start(command, options):
    command += qemu.extra_arguments()
    if options.dry_run:
        print(shlex.join(command))
        return 0
    if getattr(options, "log", None) or getattr(options, "ctl", None):
        return between.run(command, options)
    return qemu.wait(command)


def ctl(options):
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise Problem("no command is given (candor ctl help lists them)")
    answer = between.ask(options.socket, " ".join(words))
    print(json.dumps(answer, indent=2 if sys.stdout.isatty() else None))
    return 0 if answer["ok"] else EXIT_FAILED


def pack(options):
    write_file(options.output, make_bundle(options)[0])
    return 0


def write_file(path, data):
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "wb") as target:
            target.write(data)
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror}") from None


def main(argv):
    options = arguments().parse_args(argv)
    try:
        if hasattr(options, "cpu"):
            options.cpu = [change for change in options.cpu.split(",") if change]
            if not 1 <= options.smp <= 512:
                raise Problem("--smp is a number from 1 to 512")
        status = {"run": run, "native": native, "ctl": ctl, "pack": pack}[options.command](options)
    except Problem as problem:
        report(str(problem))
        return EXIT_REFUSED
    if options.command == "run" and status == EXIT_PANIC:
        report(f"stopped by a fault of Candor's own, which is told above (docs/faults.md); exit status {status}")
    return status

# SPDX-License-Identifier: MIT
"""The QEMU command line, and how it is run."""

import ctypes
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass

from . import abi
from .problem import Problem

VIRTIO_SLOTS = 8  # of the machine `virt`
SECTOR_BYTES = 512
MACHINE = "virt"
PR_SET_PDEATHSIG = 1
# The processor's extensions, pinned, so that a newer QEMU's defaults change nothing. Candor refuses
# extensions whose state it does not switch (v) and a kernel in S-mode where H is present.
EXTENSIONS = {
    "h": False, "v": False, "sstc": True, "zba": True, "zbb": True, "zbc": True, "zbs": True,
    "svinval": False, "svnapot": False, "svpbmt": False, "sscofpmf": False,
}  # fmt: skip
# On by default in QEMU 10, unknown to 7.2: named only to a QEMU that knows them.
NEWER_EXTENSIONS = ("zicbom", "zicbop", "zicboz", "zawrs", "zfa", "svadu", "svvptc")
NEWER_SINCE = 10


def find_qemu():
    """Returns the path of the emulator: $QEMU, else the system's."""
    wanted = os.environ.get("QEMU") or "qemu-system-riscv64"
    path = shutil.which(wanted)
    if not path:
        raise Problem(f"{wanted} is not there: 'tools/setup packages build' installs it, QEMU=path names another")
    return path


def major_version(path):
    """Returns 7 for QEMU 7.2.x."""
    try:
        run = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem(f"{path} does not run: {error}") from None
    match = re.search(r"version ([0-9]+)\.", run.stdout)
    if not match:
        raise Problem(f"{path} is not QEMU: '{path} --version' names no version")
    return int(match[1])


def processor(path, changes):
    """Returns the -cpu option; `changes` is a list of `name`, `name=true` or `name=false`."""
    extensions = dict(EXTENSIONS)
    if major_version(path) >= NEWER_SINCE:
        extensions.update(dict.fromkeys(NEWER_EXTENSIONS, False))
    for change in changes:
        name, _, value = change.partition("=")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or value not in ("", "true", "false"):
            raise Problem(f"--cpu: '{change}' is not of the form name=true or name=false")
        extensions[name] = value != "false"
    return "rv64," + ",".join(f"{name}={str(on).lower()}" for name, on in extensions.items())


def announce_port(port):
    """Leaves the port where .gdbinit looks for it."""
    with open(os.path.join(abi.ROOT, "build", "gdb-port"), "w", encoding="ascii") as target:
        target.write(f"{port}\n")
    print("candor: the machine waits for gdb; in another terminal: make gdb", file=sys.stderr)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def base_command(options, piped=False):
    """Returns the part of the command that Candor and native Frank share.

    On a terminal QEMU's own keys stay within reach (Ctrl-A x ends it, Ctrl-A c is its monitor) and Ctrl-C
    goes to the guest. Elsewhere, and where the launcher stays in between (`piped`), every byte of the input is the guest's.

    The network card that QEMU would add goes: its timers, for ever due at once where time is counted by instructions and every
    hart sleeps, left QEMU no moment for the console or for a signal.
    """
    path = find_qemu()
    command = [path, "-machine", MACHINE, "-cpu", processor(path, options.cpu)]
    command += ["-smp", str(options.smp), "-display", "none", "-audiodev", "none,id=none", "-nic", "none"]
    if sys.stdin.isatty() and not piped:
        command += ["-serial", "mon:stdio"]
    else:
        command += ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console", "-monitor", "none"]
    if options.icount:
        command += ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm"]
    if options.gdb is not None:
        port = options.gdb or free_port()
        command += ["-gdb", f"tcp:127.0.0.1:{port}", "-S"]
        if not options.dry_run:
            announce_port(port)
    return command


@dataclass
class Drive:
    """A file that is a disk of the machine."""

    path: str
    read_only: bool = False


def parse_drive(text):
    """Returns the Drive of `PATH` or `PATH:ro`, checked."""
    path, mark, _ = text.rpartition(":ro") if text.endswith(":ro") else (text, "", "")
    drive = Drive(path, bool(mark))
    try:
        size = os.path.getsize(path)
        with open(path, "rb" if drive.read_only else "r+b"):
            pass
    except OSError as error:
        verb = "read" if drive.read_only else "written"
        cure = "; build/tools/mkfs.frank makes one" if isinstance(error, FileNotFoundError) else ""
        cure = f"; '{path}:ro' gives it to be read alone" if isinstance(error, PermissionError) and not mark else cure
        raise Problem(f"disk {path} cannot be {verb}: {error.strerror}{cure}") from None
    if not os.path.isfile(path):
        raise Problem(f"disk {path} is no file")
    if size == 0 or size % SECTOR_BYTES:
        raise Problem(f"disk {path} has {size} bytes, which are not whole sectors of {SECTOR_BYTES}")
    return drive


def disk_arguments(drives):
    """Returns the options that give the machine these drives, in this order: drive n in slot n."""
    if len(drives) > VIRTIO_SLOTS:
        raise Problem(f"{len(drives)} disks are asked for: the machine has slots for {VIRTIO_SLOTS}")
    words = ["-global", "virtio-mmio.force-legacy=off"] if drives else []
    for number, drive in enumerate(drives):
        if any(shares_file(drive, other) for other in drives[:number]):
            raise Problem(f"disk {drive.path} is given twice: each disk needs a file of its own")
        name = drive.path.replace(",", ",,")
        read_only = ",readonly=on" if drive.read_only else ""
        words += ["-drive", f"file={name},if=none,format=raw,id=disk{number}{read_only}"]
        words += ["-device", f"virtio-blk-device,drive=disk{number},bus=virtio-mmio-bus.{number}"]
    return words


def shares_file(drive, other):
    """Whether both are one file, of which one would be written."""
    return os.path.samefile(drive.path, other.path) and not (drive.read_only and other.read_only)


def extra_arguments():
    """QEMUEXTRA, split as a shell would."""
    try:
        return shlex.split(os.environ.get("QEMUEXTRA", ""))
    except ValueError as error:
        raise Problem(f"QEMUEXTRA cannot be split into words: {error}") from None


def memory_file(data):
    """Returns a path at which QEMU, started by this process, finds `data`; no file is left behind."""
    descriptor = os.memfd_create("candor-bundle", 0)
    with os.fdopen(os.dup(descriptor), "wb") as target:
        target.write(data)
    os.set_inheritable(descriptor, True)
    return f"/proc/self/fd/{descriptor}"


def child_setup():
    """The machine does not outlive the launcher."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait(command, look=None, look_s=None):
    """Runs QEMU, whose terminal this process's is, and returns its exit status, or 128 and the number of the signal that ended
    it. `look` is called every `look_s` seconds."""
    sys.stdout.flush()
    sys.stderr.flush()
    # Ctrl-C on the terminal is the machine's affair; a request to end is passed on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(command, close_fds=False, preexec_fn=child_setup)
    asked = []

    def pass_on(received, _):
        asked.append(received)
        child.send_signal(received)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    while True:
        try:
            status = child.wait(look_s)
            if asked:
                return 128 + asked[0]
            return status if status >= 0 else 128 - status
        except subprocess.TimeoutExpired:
            look()

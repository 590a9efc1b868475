# SPDX-License-Identifier: MIT
"""Frank on a disk: booted from it, files that survive, and a machine that stops at any moment."""

import errno
import random
import shutil
import subprocess
import time

import pytest
from machine import ROOT

SEED = 20261123
BUDGET_S = 120
SIDE_BY_SIDE = True


def check(path):
    """What fsck says of a disk, which must be without damage."""
    found = subprocess.run([ROOT / "build/tools/fsck.frank", path], capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk.img"
    shutil.copy(ROOT / "build/disk.img", path)
    return path


# Frank from a disk in each column: what comes before its path.
PV = "image=build/frank-pv.elf,args=root=vda,"
UNMODIFIED = "image=build/frank-native.elf,args=root=vda,virt=shadow,"
VMS = {"pv": PV, "bounced": PV + "traps=bounced,", "shadow-s": UNMODIFIED, "shadow-u": UNMODIFIED + "depriv=u,"}


@pytest.fixture(params=["native", *VMS])
def boot(request, disk, native, candor):
    """boot(): Frank from the disk, at its prompt or what it says `until` then. `mark` is put behind the disk's path."""

    def start(mark="", until=r"frank\$ ", **rest):
        if request.param == "native":
            machine = native(options=("--disk", f"{disk}{mark}", "--args", "root=vda"), initrd=False, **rest)
        else:
            machine = candor(VMS[request.param] + f"name=frank,disk={disk}{mark}", **rest)
        machine.expect(until, 60)
        return machine

    start.path = disk
    start.column = request.param
    return start


def test_files_are_there_after_a_reboot_and_after_a_restart(boot):
    machine = boot()
    machine.type_line("echo to be kept > /kept; ls /kept > /tmp/list; reboot")
    machine.expect(r"Frank on .*frank\$ ", 60)
    machine.type_line("cat /kept /tmp/list; echo and this > /later; poweroff")
    machine.expect(r"to be kept\r*\n/?kept\r*\n")
    machine.wait_exit()
    assert "clean" in check(boot.path)
    machine = boot()
    machine.type_line("cat /kept /later; poweroff")
    machine.expect(r"to be kept\r*\nand this\r*\n")
    machine.wait_exit()


def test_msync_brings_to_the_disk_what_a_fork_or_mprotect_has_made_read_only(boot):
    machine = boot()
    machine.type_line("usertests --write-mapped /mapped word-of-fork word-of-mprotect")
    machine.expect("mapped and synced")
    machine.end()
    content = boot.path.read_bytes()
    assert b"word-of-fork" in content and b"word-of-mprotect" in content


@pytest.mark.parametrize("boot", ["native", "pv", "shadow-u"], indirect=True)
def test_what_nobody_syncs_comes_to_the_disk_after_a_while(boot):
    """Then the machine stops as if its power were cut. The name comes to the journal, then, when that holds, to its place."""
    machine = boot()
    machine.type_line("echo nobody has asked > /unasked")
    deadline = time.monotonic() + 60
    while boot.path.read_bytes().count(b"unasked") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    machine.end()
    check(boot.path)
    assert b"nobody has asked\n" in boot.path.read_bytes()


def test_a_disk_that_is_read_only_can_be_read_and_keeps_what_it_has(boot):
    before = boot.path.read_bytes()
    machine = boot(mark=":ro", until=r"vda: mounted read-only\r*\n.*frank\$ ")
    machine.type_line("cat /etc/motd > /new; echo more >> /etc/motd; rm /etc/motd; mkdir /d; mv /etc /e; ls /etc; df; poweroff")
    for what in ("sh: /new", "sh: /etc/motd", "rm: /etc/motd", "mkdir: /d", "mv: /etc"):
        machine.expect(f"{what}: Read-only file system")
    machine.expect("\nmotd\r*\n.* read-only\r*\n")
    machine.wait_exit()
    assert boot.path.read_bytes() == before


def test_a_full_disk_is_an_error_of_the_program_and_has_room_again(candor, disk):
    """What is removed is free for the next file at once, without a sync between them."""
    machine = candor(PV + f"disk={disk}")
    machine.expect(r"frank\$ ", 60)
    machine.type_line("cat /dev/zero > /fill; echo cat says $?; cat /dev/zero > /other; echo and $?")
    machine.expect("No space left on device.*cat says 1", 120)
    machine.expect("No space left on device.*and 1", 60)
    machine.type_line("rm /fill /other; cat /bin/sh /bin/top > /new; cmp /bin/sh /new; sync; echo there is room; df; poweroff")
    machine.expect("\nthere is room")
    machine.wait_exit()
    assert "clean" in check(disk)


# What QEMU's blkdebug does to a disk.
INJECT = """\
[inject-error]
event = "none"
iotype = "{iotype}"
errno = "{errno}"
"""


def broken(disk, tmp_path, iotype, sector=None):
    """The environment in which such requests to the disk fail, of that sector or all."""
    rules = INJECT.format(iotype=iotype, errno=errno.EIO) + (f'sector = "{sector}"\n' if sector else "")
    (tmp_path / "errors").write_text(rules, encoding="ascii")
    return {"QEMUEXTRA": f"-set drive.disk0.file=blkdebug:{tmp_path / 'errors'}:{disk}"}


def test_a_sector_that_cannot_be_read_is_an_error_of_the_program(boot, tmp_path):
    """And of no other: the rest of the disk is there."""
    inside = boot.path.read_bytes().index((ROOT / "build/user/top").read_bytes()[4096:8192])
    machine = boot(environment=broken(boot.path, tmp_path, "read", inside // 512 + 3))
    machine.type_line("cat /bin/top > /tmp/top; echo cat says $?; ls / | wc; ls / | sort; poweroff")
    machine.expect("cat: /bin/top: I/O error")
    machine.expect("cat says 1")
    machine.expect("bin\r*\ndev\r*\netc")
    machine.wait_exit()


def test_a_disk_that_cannot_be_written_is_a_failure_in_the_end(boot, tmp_path):
    machine = boot(environment=broken(boot.path, tmp_path, "write"))
    machine.type_line("echo lost > /lost; sync; echo still here; cat /lost; poweroff")
    machine.expect("still here\r*\nlost")
    assert machine.wait_exit() == (0 if boot.column == "native" else 1)  # the firmware tells of no failure
    assert b"lost\n" not in boot.path.read_bytes()
    assert "clean" in check(boot.path)


def test_two_machines_have_a_disk_each(candor, disk, tmp_path):
    other = shutil.copy(disk, tmp_path / "other.img")
    machine = candor(PV + f"name=first,disk={disk}", UNMODIFIED + f"name=second,disk={other}")
    machine.expect(r"first\S*\| frank\$ ", 60)
    machine.send("\x142")
    machine.type_line("echo the second > /whose; sync; echo synced-$?")
    machine.expect(r"second\S*\| .*synced-0", 60)
    machine.send("\x141")
    machine.type_line("ls /whose; echo the first > /whose; sync; echo synced-$?")
    machine.expect(r"first\S*\| .*[Nn]o such file")
    machine.expect(r"first\S*\| .*synced-0")
    machine.type_line("poweroff")
    machine.expect("candor: first: shut down")
    machine.send("\x142")
    machine.type_line("cat /whose; poweroff")
    machine.expect(r"second\S*\| the second")
    machine.wait_exit()
    assert "clean" in check(disk) and "clean" in check(other)
    assert b"the first\n" in disk.read_bytes() and b"the first\n" not in other.read_bytes()


def test_usertests_pass_on_a_disk(disk, native):
    machine = native(options=("--disk", disk, "--args", "root=vda run=/bin/usertests"), initrd=False)
    machine.expect(r"usertests: [0-9]+ passed, 0 failed", 90)
    assert machine.wait_exit() == 0
    assert "clean" in check(disk)


def test_the_programs_for_disks_run_in_frank_too(boot):
    machine = boot()
    machine.type_line("mkfs -s 1M -d /bin /tmp/small; mkfs -s 8M -d /bin /tmp/disk; fsck /tmp/disk; echo fsck says $?; poweroff")
    machine.expect(r"mkfs: /tmp/small: the disk is full|there is no file system on it now")
    machine.expect(r"fsck says 0")
    machine.wait_exit()


def test_a_machine_that_is_stopped_anywhere_leaves_a_sound_disk(disk, native):
    rolls = random.Random(SEED)
    for number in range(6):
        machine = native(options=("--disk", disk, "--args", "root=vda"), initrd=False)
        machine.expect(r"frank\$ ")
        machine.shell(f"echo {number} > /synced{number}; sync")
        machine.type_line("usertests rename_moves_directories large_file_keeps_every_byte reading_finds_every_name &")
        time.sleep(rolls.random())
        machine.end()
        check(disk)
    machine = native(options=("--disk", disk, "--args", "root=vda"), initrd=False)
    machine.expect(r"frank\$ ")
    machine.type_line("cat /synced0 /synced1 /synced2 /synced3 /synced4 /synced5; poweroff")
    machine.expect(r"0\r*\n1\r*\n2\r*\n3\r*\n4\r*\n5\r*\n")

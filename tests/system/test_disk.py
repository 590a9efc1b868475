# SPDX-License-Identifier: MIT
"""Frank on a disk: booted from it, files that survive, and a machine that stops at any moment."""

import random
import shutil
import subprocess
import time

import pytest
from machine import ROOT

SEED = 20261123


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


@pytest.fixture(params=["native", "shadow-s", "shadow-u"])
def boot(request, disk, native, candor):
    """boot(): Frank from the disk, at its prompt. What a virtual machine writes stays with it: `keeps` says that of the disk."""

    def start():
        if request.param == "native":
            machine = native(options=("--disk", disk, "--args", "root=vda"), initrd=False)
        else:
            deprivileging = request.param[-1]
            machine = candor(f"image=build/frank-native.elf,name=frank,virt=shadow,depriv={deprivileging},disk={disk},args=root=vda")
        machine.expect(r"frank\$ ")
        return machine

    start.keeps = request.param == "native"
    start.path = disk
    return start


def test_files_are_there_after_a_restart(boot):
    machine = boot()
    machine.type_line("echo to be kept > /kept; ls /kept > /tmp/list; reboot")
    machine.expect(r"Frank on .*frank\$ ", 60)
    machine.type_line("cat /kept /tmp/list; poweroff")
    machine.expect(r"to be kept\r*\n/?kept\r*\n")
    machine.wait_exit()
    if boot.keeps:
        assert "clean" in check(boot.path)


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

# SPDX-License-Identifier: MIT
"""The machine that an unmodified guest finds: its disk, its firmware, its timer, raw images; and what others lose by it.

What can be compared is: the same file boots on the bare machine, and both must say the same lines.
"""

import random
import subprocess
import time

import pytest
from candorlib import between, bundle, vmspec
from machine import BUILD, ROOT

BUDGET_S = 90
SIDE_BY_SIDE = True
GUESTS = "build/tests/guest/bare"
FRANK = "image=build/frank-native.elf,initrd=build/initrd.img,virt=shadow"
PARAVIRTUAL = "image=build/frank-pv.elf,initrd=build/initrd.img"
DEPRIVILEGINGS = ("s", "u")
SECTORS = 1024
DISK_BYTES = 1 << 20
MONITOR = "\x14m"
LEAST_MS = 300  # of the machine's time, under icount
IDLE_MOST = 0.02  # of the hart, that an idle machine takes from a busy one
PATIENCE_S = 40
SUITE_S = 90  # for Frank's own tests


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(random.Random(1).randbytes(SECTORS * 512))
    return path


def lines(machine):
    """What a guest says, up to DONE, but for what is its firmware's own affair, and what QEMU says of a bad driver."""
    machine.expect("ATTACK ")
    machine.expect("DONE")
    return [line for line in ("ATTACK " + machine.before).splitlines() if line and not line.startswith(("own ", "qemu-system-"))]


def on_the_bare_machine(start, name, more=""):
    return lines(start("native", "--image", f"{GUESTS}/{name}.elf", environment={"QEMUEXTRA": more}))


def ctl(path, *words):
    answer = between.ask(str(path), " ".join(words))
    assert answer["ok"], answer
    return answer["result"]


def wait_state(path, name, *states):
    deadline = time.monotonic() + PATIENCE_S
    while next(row for row in ctl(path, "vms") if row["vm"] == name)["state"] not in states:
        assert time.monotonic() < deadline
        time.sleep(0.05)


# ---- the same lines ----


@pytest.fixture(scope="module")
def bare_lines():
    """{guest: its lines on the bare machine}"""
    return {}


@pytest.mark.parametrize("depriv", DEPRIVILEGINGS)
def test_the_disk_is_one_like_qemus(start, candor, disk, bare_lines, depriv):
    if "disk" not in bare_lines:
        copy = disk.with_name("copy")
        copy.write_bytes(disk.read_bytes())
        more = (
            f"-global virtio-mmio.force-legacy=false -drive file={copy},format=raw,if=none,id=d "
            "-device virtio-blk-device,drive=d,bus=virtio-mmio-bus.0,serial=candor-disk"
        )
        bare_lines["disk"] = on_the_bare_machine(start, "disk", more)
        bare_lines["written"] = copy.read_bytes()
    machine = candor(f"image={GUESTS}/disk.elf,virt=shadow,depriv={depriv},disk={disk}")
    found = lines(machine)
    assert found == bare_lines["disk"]
    assert len(found) > 50
    assert machine.wait_exit() == 0
    assert disk.read_bytes() == bare_lines["written"] != random.Random(1).randbytes(SECTORS * 512)


@pytest.mark.parametrize("sstc", ("on", "off"))
@pytest.mark.parametrize("depriv", DEPRIVILEGINGS)
def test_the_firmware_answers_as_opensbi_does(start, candor, bare_lines, depriv, sstc):
    if "firmware" not in bare_lines:
        bare_lines["firmware"] = on_the_bare_machine(start, "firmware")
    machine = candor(f"image={GUESTS}/firmware.elf,virt=shadow,depriv={depriv},sstc={sstc}")
    found = lines(machine)
    assert found == bare_lines["firmware"]
    assert len(found) > 50


# ---- the disk's life ----


def test_a_disk_outlives_reboots_and_its_machine_and_has_one_owner(candor, tmp_path):
    path, disk = tmp_path / "ctl", tmp_path / "disk"
    disk.write_bytes(bytes(DISK_BYTES))
    counts = f"image={GUESTS}/disk.elf,virt=shadow,disk={disk},mem=8M,name=counts,start=no,args=until=3"
    machine = candor(counts, f"{FRANK},name=stays", options=("--ctl", path))
    machine.expect("frank")
    ctl(path, "create counts")
    for number in range(4):
        machine.expect(f"found {number}")
    wait_state(path, "counts", "off")
    ctl(path, "start counts")
    machine.expect("found 3")
    wait_state(path, "counts", "off")
    answer = between.ask(str(path), "create second from counts")
    assert not answer["ok"] and "no disk for it, or another one has it" in answer["error"], answer
    ctl(path, "destroy counts")
    ctl(path, "create counts")
    machine.expect("found 3")
    assert not ctl(path, "audit")[0]["violations"]
    assert disk.read_bytes()[-512] == 3


@pytest.mark.parametrize(
    "content, complaint",
    [
        (None, "cannot be written: No such file or directory"),
        (b"", "has 0 bytes, which are not whole sectors of 512"),
        (bytes(513), "has 513 bytes, which are not whole sectors of 512"),
    ],
    ids=("none", "empty", "odd"),
)
def test_a_file_that_is_no_disk_is_refused(candor, tmp_path, content, complaint):
    path = tmp_path / "medium"
    if content is not None:
        path.write_bytes(content)
    machine = candor(f"{FRANK},name=un,disk={path}")
    machine.expect(f"vm un: [^\n]*{complaint}")
    assert machine.wait_exit() == 2


# ---- raw images ----


def test_a_raw_image_starts_at_its_first_byte(candor, tmp_path):
    path = tmp_path / "firmware.bin"
    subprocess.run(
        ["riscv64-unknown-elf-objcopy", "-O", "binary", str(ROOT / GUESTS / "firmware.elf"), str(path)], check=True
    )
    machine = candor(f"raw={path},virt=shadow,mem=16M")
    assert "version 1 or later: 1" in lines(machine)


@pytest.mark.parametrize(
    "words, complaint",
    [
        (f"raw={BUILD}/frank-native.elf,virt=shadow", "is an ELF file: give it as image="),
        (f"raw={BUILD}/initrd.img,virt=shadow,mem=2M", "lies outside its memory"),
        (f"raw={BUILD}/initrd.img,image={BUILD}/frank-native.elf,virt=shadow", "exclude each other"),
        (f"raw={BUILD}/initrd.img", "option 'raw' is of virt=shadow alone"),
        (f"image={BUILD}/frank-pv.elf,sstc=off", "option 'sstc' is of virt=shadow alone"),
    ],
    ids=("elf", "large", "both", "pv", "sstc"),
)
def test_a_raw_image_that_cannot_be_one_is_refused(candor, words, complaint):
    machine = candor(f"{words},name=un")
    machine.expect(f"vm un: [^\n]*{complaint}")
    assert machine.wait_exit() == 2


# ---- damaged records ----


@pytest.mark.parametrize(
    "damage, complaint",
    [
        ({"disk_slot": 3}, "the machine has no disk for it, or another one has it"),
        ({"tree_data": b""}, "its record has no device tree"),
        ({"depriv": "absurd"}, "it asks for options that this build does not have"),
        ({"raw": True, "image_data": bytes(3 << 20)}, "its image does not fit into its memory"),
    ],
    ids=("disk", "tree", "depriv", "raw"),
)
def test_a_record_that_makes_no_sense_costs_its_machine_alone(damage, complaint, start, tmp_path, monkeypatch):
    monkeypatch.setitem(bundle.DEPRIV, "absurd", 7)
    specs = [f"image={ROOT}/build/frank-native.elf,virt=shadow,mem=4M,name=un", f"image={ROOT}/build/tests/guest/hello.elf,name=good"]
    machines = vmspec.parse_machines(specs, pytest.fail)
    for field, value in damage.items():
        setattr(machines[0], field, value)
    path = tmp_path / "bundle"
    path.write_bytes(bundle.pack(machines))
    machine = start("run", "--bundle", path)
    machine.wait_exit()
    assert f"candor: un: not started: {complaint}" in machine.transcript
    assert "candor: good: shut down" in machine.transcript


# ---- without stimecmp ----


@pytest.mark.parametrize("depriv", DEPRIVILEGINGS)
def test_frank_works_on_a_processor_without_sstc(candor, depriv):
    machine = candor(f"{FRANK},name=un,sstc=off,depriv={depriv}")
    machine.prompt()
    machine.type_line("usertests")
    match = machine.expect(r"usertests: (\d+) passed, (\d+) failed", timeout=SUITE_S)
    assert match.group(2) == "0"


# ---- idle ----


def running_ms(path):
    return {row["vm"]: row["running_ms"] for row in ctl(path, "vms")}


@pytest.mark.parametrize("args", ("", "idle=spin"))
@pytest.mark.parametrize("depriv", DEPRIVILEGINGS)
def test_an_idle_unmodified_machine_leaves_the_hart_to_a_busy_one(candor, tmp_path, depriv, args):
    """Its kernel waits by WFI, or branches to itself. To the instruction: under icount."""
    path = tmp_path / "ctl"
    machine = candor(
        f"{FRANK},name=idle,depriv={depriv},args={args}", "image=build/tests/guest/hostile_hog.elf,name=busy",
        options=("--icount", "--ctl", path),
    )  # fmt: skip
    machine.expect("frank\\$ ", timeout=PATIENCE_S)
    wait_state(path, "idle", "idle")
    before, deadline = running_ms(path), time.monotonic() + PATIENCE_S
    while True:
        now = running_ms(path)
        had = {name: now[name] - before[name] for name in now}
        if sum(had.values()) >= LEAST_MS:
            break
        assert time.monotonic() < deadline, had
        time.sleep(0.05)
    assert had["idle"] <= IDLE_MOST * sum(had.values()), had


def test_a_guest_that_sleeps_with_interrupts_off_sleeps_for_ever(candor, tmp_path):
    path = tmp_path / "ctl"
    machine = candor(f"image={GUESTS}/sleeper.elf,virt=shadow,name=sleeper", f"{FRANK},name=frank", options=("--ctl", path))
    machine.expect("sleeps")
    machine.expect("frank\\$ ")
    wait_state(path, "sleeper", "idle")
    ctl(path, "kill sleeper")
    machine.expect("sleeper: ended by the monitor")
    machine.send("\x142")
    machine.type_line("echo goes on | wc")
    machine.expect("1 +2 +8")
    assert "woke" not in machine.transcript


# ---- together ----


@pytest.mark.parametrize("harts", (1, 2, 4))
def test_two_unmodified_and_two_paravirtual_machines_work_together(candor, harts):
    names = ("s1", "u1", "p1", "p2")
    machine = candor(
        f"{FRANK},name=s1", f"{FRANK},name=u1,depriv=u,sstc=off", f"{PARAVIRTUAL},name=p1", f"{PARAVIRTUAL},name=p2,traps=bounced",
        options=("--smp", harts),
    )  # fmt: skip
    for number, name in enumerate(names, 1):
        machine.send(f"\x14{number}")
        machine.expect(rf"{name}\S*\| frank\$ ")
    for number in range(1, len(names) + 1):
        machine.send(f"\x14{number}")
        machine.type_line("usertests leak 100")
    seen = set()
    while len(seen) < len(names):
        seen.add(machine.expect(rf"({'|'.join(names)})\S*\| leak: 100 processes, no page missing", timeout=SUITE_S).group(1))
    machine.send(MONITOR)
    machine.expect("candor> ")
    machine.type_line("audit")
    machine.expect(r"audit: (clean|BROKEN)[^\r\n]*")
    assert "BROKEN" not in machine.transcript
    machine.type_line("quit")
    assert machine.wait_exit() == 0

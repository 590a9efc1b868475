# SPDX-License-Identifier: MIT
"""Hostile guests that know nothing of Candor (virt=shadow), their kernel in S-mode and in U-mode: what each tries gives what a processor
would give, or costs nobody but itself, beside a paravirtual neighbour whose sums must come out right; the audit is clean afterwards.

The attacks stand in attacks.toml. What a processor gives is tried: the same files boot on QEMU and OpenSBI. ATTACKS=all: on 1, 2 and 4
harts.
"""

import os
import re
import subprocess

import attacks
import pytest
from attacks import MANIFEST
from machine import LOGS, ROOT

BUDGET_S = 100
SIDE_BY_SIDE = True

DEPRIVILEGINGS = ("s", "u")
HARTS = (1, 2, 4) if os.environ.get("ATTACKS") == "all" else (4,)
FAMILIES = MANIFEST["bare"]
ATTACKS = [(family, name) for family in FAMILIES for name in FAMILIES[family]]
# What a seeded bug of this path is to be seen by.
ALONE = [
    ("addresses", "across-the-edge"), ("devices", "timers-and-soft-interrupts"), ("modes", "rights-of-the-moment"),
    ("modes", "user-against-its-kernel"), ("firmware", "fences-of-all-ranges"), ("disk", "written-over-tables"),
    ("disk", "reset-in-flight"),
]  # fmt: skip
DISKS = "test_hostile_bare.*.disk"
DISK_BYTES = 512 << 10
BARE_S = 60
BEATS_MOST = 40
PLACES = "tests/guest/bare"


class Bare(attacks.Guest):
    """An unmodified machine; its name ends in how its kernel runs."""

    def option(self, traps):
        del traps
        disk = f",disk={disk_of(self.name)}" if self.image == "hostile_disk" else ""
        return f"image=build/{PLACES}/{self.image}.elf,name={self.name},virt=shadow,depriv={self.name[-1]},mem=8M,args={self.args}{disk}"


GROUPS = {
    "family": [Bare(f"{family}-{how}", f"hostile_{family}") for family in FAMILIES for how in DEPRIVILEGINGS],
    "for ever": [Bare(f"spin{place}-{how}", "hostile_spin", name) for place, name in enumerate(MANIFEST["spin"]) for how in DEPRIVILEGINGS],
}


@pytest.fixture(scope="module", autouse=True)
def medium():
    """The machines' disks go with them."""
    LOGS.mkdir(parents=True, exist_ok=True)
    yield
    for path in LOGS.glob(DISKS):
        path.unlink()


def disk_of(name):
    """A new disk, for the machine of that name."""
    path = LOGS / DISKS.replace("*", name)
    path.write_bytes(bytes(DISK_BYTES))
    return path


@pytest.fixture(scope="module")
def outcomes():
    return {}


@pytest.fixture
def outcome(candor, outcomes, tmp_path):
    """outcome(group, harts): what came of the boot with these guests, which is made when it is first asked for."""

    def start(*vms, options, **rest):
        return candor(*vms, options=(*options, "--log", str(tmp_path)), **rest)

    def said(guest):
        """What a machine said, byte by byte: on the console its lines may come in pieces between those of others."""
        path = tmp_path / f"vm-{guest.name}.log"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def stop_all(machine, guests):
        """As attacks.kill_all, but for those that Candor has ended by itself."""
        for _ in range(BEATS_MOST):
            machine.expect(r"neighbour\S*\| beat \d+", attacks.BOOT_S)
            if all(said(guest) for guest in guests):
                break
        machine.send(attacks.PREFIX + "m")
        machine.expect("candor> ")
        for guest in guests:
            machine.type_line(f"kill {guest.name}")
            machine.expect(rf"candor: {guest.name}: ended[^\r\n]*\r|kill: {guest.name} [^\r\n]*\r", attacks.END_S)
        machine.send(attacks.PREFIX + "1")

    def of(group, harts):
        if (group, harts) not in outcomes:
            finish = stop_all if group == "for ever" else attacks.end_all
            result = attacks.run(start, GROUPS[group], "", harts, finish)
            result.lines = {guest.name: said(guest) for guest in GROUPS[group]}
            outcomes[group, harts] = result
        assert not outcomes[group, harts].problem, outcomes[group, harts].problem
        return outcomes[group, harts]

    return of


def verdict(section):
    assert section is not None, "it did not come to this attack"
    assert any(line.startswith("PASS ") for line in section), section
    failures = [line for line in section if line.startswith("FAIL ")]
    assert not failures, failures


@pytest.mark.parametrize("harts", HARTS)
@pytest.mark.parametrize("how", DEPRIVILEGINGS)
@pytest.mark.parametrize("family, name", ATTACKS, ids=[f"{family}-{name}" for family, name in ATTACKS])
def test_an_attack_gives_what_a_processor_gives(family, name, how, harts, outcome):
    result = outcome("family", harts)
    verdict(result.section(f"{family}-{how}", name))
    assert result.ends[f"{family}-{how}"].startswith("shut down"), result.ends


@pytest.mark.parametrize("harts", HARTS)
@pytest.mark.parametrize("how", DEPRIVILEGINGS)
@pytest.mark.parametrize("name", MANIFEST["spin"])
def test_what_never_ends_costs_nobody_but_itself(name, how, harts, outcome):
    guest = f"spin{list(MANIFEST['spin']).index(name)}-{how}"
    result = outcome("for ever", harts)
    assert f"ATTACK {name}" in result.lines[guest]
    assert not [line for line in result.lines[guest] if line.startswith("FAIL ")], result.lines[guest]
    assert result.ends[guest] == "ended by the monitor" or re.fullmatch(attacks.ENDED, result.ends[guest]), result.ends[guest]
    if name == "life-after-life":
        assert result.lines[guest].count(f"ATTACK {name}") > 1, "it had one life only"


@pytest.mark.parametrize("how", DEPRIVILEGINGS)
@pytest.mark.parametrize("family, name", ALONE, ids=[f"{family}-{name}" for family, name in ALONE])
def test_an_attack_alone(family, name, how, candor):
    """The quick way to see one; `make seeded` uses it."""
    machine = candor(Bare(f"alone-{how}", f"hostile_{family}", name).option(""))
    machine.expect(r"DONE\r", BARE_S)
    assert "FAIL " not in machine.transcript, machine.transcript
    assert machine.wait_exit() == 0


@pytest.mark.parametrize("how", DEPRIVILEGINGS)
def test_a_life_begins_with_nothing_of_the_one_before(how, candor):
    machine = candor(Bare(f"life-{how}", "hostile_spin", "life-after-life").option(""))
    for _ in range(3):
        assert machine.expect(r"(PASS|FAIL) [^\r\n]*\r", BARE_S)[1] == "PASS", machine.transcript


@pytest.mark.parametrize("family", FAMILIES)
def test_a_processor_gives_the_same(family, tmp_path):
    """On QEMU itself, with its own firmware and disk, where its answer is determined."""
    log = LOGS / f"test_hostile_bare.bare-{family}.log"
    (tmp_path / "disk").write_bytes(bytes(DISK_BYTES))
    disk = (
        f"-global virtio-mmio.force-legacy=false -drive file={tmp_path / 'disk'},format=raw,if=none,id=d "
        "-device virtio-blk-device,drive=d,bus=virtio-mmio-bus.0"
    )
    words = ["timeout", "-k", "5", str(BARE_S), ROOT / "tools/candor", "native", "--image", f"build/{PLACES}/hostile_{family}.elf"]
    with open(log, "wb") as output:
        subprocess.run(
            [*map(str, words)], cwd=ROOT, env={**os.environ, "QEMUEXTRA": disk}, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    lines = log.read_text(errors="replace").splitlines()
    assert [line for line in lines if line.startswith("ATTACK ")] == [f"ATTACK {name}" for name in FAMILIES[family]]
    assert not [line for line in lines if line.startswith("FAIL ")], lines
    assert "DONE" in lines
    log.unlink()


def test_the_manifest_has_every_unmodified_guest():
    sources = {path.stem.removeprefix("hostile_") for path in (ROOT / PLACES).glob("hostile_*.c")}
    assert sources == {*FAMILIES, "spin", "harts"}  # (harts: test_vcpus.py)
    for guest, names in {**FAMILIES, "spin": MANIFEST["spin"]}.items():
        text = (ROOT / PLACES / f"hostile_{guest}.c").read_text(encoding="utf-8")
        assert re.findall(r'^    \{"([a-z-]+)", \w+\},$', text, re.MULTILINE) == list(names), guest

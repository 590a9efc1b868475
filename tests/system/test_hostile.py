# SPDX-License-Identifier: MIT
"""Hostile guests: what each tries is refused with the error that the ABI names, or ends that VM alone with one line, or costs
nobody but itself. An innocent neighbour keeps computing and checking its sums, and the audit is clean afterwards.

The attacks stand in attacks.toml. ATTACKS=all: on 1, 2 and 4 harts, and every control register by its number.
"""

import os
import re

import attacks
import pytest
from attacks import MANIFEST, NEIGHBOUR, Guest, check_the_rest
from machine import ROOT

BUDGET_S = 120
SIDE_BY_SIDE = True

GUEST_VM = "image=build/tests/guest"
CONDITIONS = attacks.conditions()
ALL = os.environ.get("ATTACKS") == "all"
RACES = os.environ.get("ATTACKS") == "races"
FAMILY = [(family, name) for family in MANIFEST["family"] for name in MANIFEST["family"][family]]
# mix: test_stay.py; vcpus: test_vcpus.py
SPECIAL = {"hog", "flood", "fp", "dead_entry", "insn", "entry", "loop", "mix", "vcpus"}
CSRS = 4096
CSR_READ, CSR_WRITE = 0x22F3, 0x29073  # csrr t0, 0; csrw 0, t0
# What a kernel may read: rounding, its own registers, its timer, the time. It writes all but the last.
KERNEL_CSRS = {1, 2, 3, 0x100, 0x104, 0x105, 0x106, 0x10A, *range(0x140, 0x145), 0x14D, 0xC01}
TIME_CSR = 0xC01


@pytest.fixture(scope="module")
def outcomes():
    return {}


@pytest.fixture
def outcome(candor, outcomes):
    """outcome(group, condition, place): what came of the boot with that guest, which is made when it is first asked for."""

    def of(group, condition, place=0):
        boot = (group, condition, place // attacks.GUESTS_A_BOOT)
        if boot not in outcomes:
            first = boot[2] * attacks.GUESTS_A_BOOT
            guests = attacks.GROUPS[group][first : first + attacks.GUESTS_A_BOOT]
            finish = attacks.kill_all if group == "loops" else attacks.end_all
            outcomes[boot] = attacks.run(candor, guests, *condition, finish)
        assert not outcomes[boot].problem, outcomes[boot].problem
        return outcomes[boot]

    return of


def by_condition(function):
    return pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: f"{c[0]}-{c[1]}")(function)


def verdict_of(lines, end):
    """Of a guest that is one attack: refused all along, or ended as it foretold."""
    text = "\n".join(lines)
    failures = [line for line in lines if line.startswith("FAIL ")]
    assert not failures, failures
    if "EXPECT end" in text:
        assert re.match(attacks.ENDED, end), end
    else:
        assert "DONE" in text and end == "shut down", end


@by_condition
@pytest.mark.parametrize("name", MANIFEST["alone"])
def test_a_hostile_guest_is_refused_or_ended_alone(name, condition, outcome):
    result = outcome("family", condition)
    verdict_of(result.lines[name], result.ends[name])


@by_condition
@pytest.mark.parametrize("family, name", FAMILY, ids=[f"{family}-{name}" for family, name in FAMILY])
def test_an_attack_is_refused_and_does_nothing(family, name, condition, outcome):
    result = outcome("family", condition)
    for guest in attacks.names_of(family):
        section = result.section(guest, name)
        assert section is not None, f"{guest} did not come to it; its end: {result.ends.get(guest)}"
        assert any(line.startswith("PASS ") for line in section), section
        failures = [line for line in result.lines[guest] if line.startswith("FAIL ")] if guest != family else section
        failures = [line for line in failures if line.startswith("FAIL ")]
        assert not failures, failures


@pytest.mark.skipif(not RACES, reason="ATTACKS=races has the attacks that race in a boot of their own, for `make soak`")
@by_condition
def test_attacks_that_race_are_refused_and_do_nothing(condition, outcome):
    result = outcome("racing", condition)
    for guest in attacks.GROUPS["racing"]:
        verdict_of(result.lines[guest.name], result.ends[guest.name])
    for family in attacks.RACING:
        missing = [name for name in MANIFEST["family"][family] if result.section(attacks.names_of(family)[0], name) is None]
        assert not missing, missing


@by_condition
@pytest.mark.parametrize("name", MANIFEST["instructions"])
def test_an_instruction_that_is_not_a_guests_ends_it_alone(name, condition, outcome):
    place = list(MANIFEST["instructions"]).index(name)
    result, guest = outcome("instructions", condition, place), f"instructions{place}"
    assert result.lines[guest] == [f"EXECUTES {attacks.INSTRUCTIONS[name]}"]
    assert re.fullmatch(attacks.ILLEGAL, result.ends[guest]), result.ends[guest]


@by_condition
@pytest.mark.parametrize("name", MANIFEST["entries"])
def test_a_trap_entry_that_cannot_work_ends_its_guest_alone(name, condition, outcome):
    result = outcome("entries", condition)
    guest = f"entries{list(MANIFEST['entries']).index(name)}"
    assert result.lines[guest][:1] == [f"ATTACK {name}"] and result.lines[guest][-1].startswith("EXPECT end")
    assert re.fullmatch(attacks.ENDED, result.ends[guest]), result.ends[guest]


@by_condition
@pytest.mark.parametrize("name", MANIFEST["loops"])
def test_a_guest_that_traps_for_ever_costs_nobody_but_itself(name, condition, outcome):
    result = outcome("loops", condition)
    guest = f"loops{list(MANIFEST['loops']).index(name)}"
    assert result.lines[guest] == [f"ATTACK {name}"]
    assert result.ends[guest] == "ended by the monitor"


def test_the_manifest_has_every_guest_and_its_count_is_told(capsys):
    sources = {path.stem.removeprefix("hostile_") for path in (ROOT / "tests/guest").glob("hostile_*.c")}
    assert sources == {*MANIFEST["alone"], *MANIFEST["family"], *SPECIAL}
    for family in MANIFEST["family"]:
        names = re.findall(r'^    \{"([a-z-]+)", \w+\},$', source_of(family), re.MULTILINE)
        assert family == "residue" or sorted(names) == sorted(MANIFEST["family"][family]), family
    for kind, guest in (("entries", "entry"), ("loops", "loop")):
        names = re.findall(r'^    \{"([a-z-]+)", \w+\},$', source_of(guest), re.MULTILINE)
        assert sorted(names) == sorted(MANIFEST[kind]), kind
    with capsys.disabled():
        print(f"{attacks.count()} attacks, in {len(CONDITIONS)} conditions each ", end="")
    assert attacks.count() >= 45


def source_of(guest):
    return (ROOT / f"tests/guest/hostile_{guest}.c").read_text(encoding="utf-8")


@by_condition
def test_assembly_and_c_serve_the_same_calls_alike(condition, candor):
    traps, harts = condition
    vm = f"{GUEST_VM}/twin.elf,mem=8M,traps={traps}"
    machine = candor(NEIGHBOUR, f"{vm},name=fast", f"{vm},name=slow,fastpaths=no", options=("--smp", str(harts)))
    for _ in range(2):
        machine.expect(r"candor: (?:fast|slow): (?:shut down|ended|not started)[^\r\n]*\r", 60)
    check_the_rest(machine)
    result = attacks.Outcome()
    attacks.sort_lines(machine.transcript, result)
    fast, slow = ([line for line in result.lines[name] if line.startswith("TWIN ")] for name in ("fast", "slow"))
    differ = [pair for pair in zip(fast, slow, strict=True) if pair[0] != pair[1]]
    assert not differ, f"they differ first here: {differ[0]}"
    served = [int(re.search(r"SERVED (\d+)", "\n".join(result.lines[name]))[1]) for name in ("fast", "slow")]
    assert served[0] > 500 and served[1] == 0, served
    assert result.ends == {"fast": "shut down", "slow": "shut down"}


@by_condition
@pytest.mark.parametrize("how", ["register", "stvec"])
def test_a_dead_trap_entry_ends_its_guest_alone(how, condition, candor):
    result = attacks.run(candor, [Guest("dead", "hostile_dead_entry", how)], *condition)
    assert not result.problem, result.problem
    verdict_of(result.lines["dead"], result.ends["dead"])


@by_condition
def test_no_guest_finds_floating_point_registers_of_another(condition, candor):
    guests = [Guest(name, "hostile_fp") for name in ("first", "second")]
    result = attacks.run(candor, guests, *condition)
    assert not result.problem, result.problem
    for guest in guests:
        verdict_of(result.lines[guest.name], result.ends[guest.name])


def test_a_guest_that_never_gives_way_gets_its_share_and_no_more(candor):
    machine = candor(NEIGHBOUR, f"{GUEST_VM}/hostile_hog.elf,name=hostile", options=("--smp", "1"))
    machine.expect("hogging")
    machine.send(attacks.PREFIX + "v")
    machine.expect(r"neighbour +\w+ [^\r\n]*%")
    for _ in range(10):
        machine.expect(r"\| beat \d+")
    machine.send(attacks.PREFIX + "v")
    share = int(machine.expect(r"neighbour +\w+ +[\d.]+ +[\d.]+ +[\d.]+ +(\d+)%")[1])
    assert 40 <= share <= 60
    check_the_rest(machine)


def test_a_flood_of_forged_output_reaches_nobody(candor):
    machine = candor(NEIGHBOUR, f"{GUEST_VM}/hostile_flood.elf,name=hostile", options=("--smp", "1"))
    machine.expect(r"\| beat \d+")
    machine.expect(r"\| beat \d+")
    machine.expect(r"candor: hostile: (shut down|ended|not started)[^\r\n]*\r", 40)
    name = r"(?:\x1b\[[0-9;]*m)?(hostile|neighbour)(?:\x1b\[0m)?\| "
    for line in re.split(r"\r\n|\r|\n", machine.transcript):
        speaker = re.match(name, line)
        text = line[speaker.end():] if speaker else line  # fmt: skip
        assert speaker or not line or re.match(r"(bundle:|candor: (?!forged))", line), repr(line)
        assert not re.search(r"[\x00-\x07\x0b-\x1f\x7f-\x9f]", text), repr(line)
    check_the_rest(machine)


@pytest.mark.skipif(not ALL, reason="ATTACKS=all sweeps all control registers, machine by machine")
@pytest.mark.parametrize("first", range(0, CSRS, attacks.GUESTS_A_BOOT) if ALL else ())
@pytest.mark.parametrize("how", [CSR_READ, CSR_WRITE], ids=["read", "written"])
def test_a_control_register_that_is_not_a_kernels_ends_it_alone(how, first, candor):
    csrs = range(first, min(first + attacks.GUESTS_A_BOOT, CSRS))
    guests = [Guest(f"csr{csr:x}", "hostile_insn", f"{csr << 20 | how:08x}", "4M") for csr in csrs]
    result = attacks.run(candor, guests, "direct", 2)
    assert not result.problem, result.problem
    for csr, guest in zip(csrs, guests):
        if csr in KERNEL_CSRS and (how == CSR_READ or csr != TIME_CSR):
            assert f"EXECUTED {guest.args}" in result.lines[guest.name], guest
        else:
            assert result.lines[guest.name] == [f"EXECUTES {guest.args}"], guest
            assert re.fullmatch(attacks.ILLEGAL, result.ends[guest.name]), result.ends[guest.name]

# SPDX-License-Identifier: MIT
"""Scheduling on a real machine: shares follow the weights, to one hart's instruction; who is paused on another hart stops
there; a hart with nothing to do has no tick and a lone machine ten a second; each guest's times add up."""

import re
import time

import pytest
from candorlib import between, trace

BUDGET_S = 60

HOG = "image=build/tests/guest/hostile_hog.elf"
WATCHED_S = 2
LEAST_MS = 300  # of the machine's time, under icount; a turn more or less makes it a thirtieth more or less
NEAR = 0.04


def ctl(path, *words):
    return between.ask(str(path), " ".join(words))


def rows(path):
    """{name: row of `vms`}"""
    answer = ctl(path, "vms")
    assert answer["ok"], answer
    return {row["vm"]: row for row in answer["result"]}


def sleep_until(path, done, patience_s=40):
    """Looks until done({name: row}) is true; returns the rows."""
    deadline = time.monotonic() + patience_s
    while True:
        found = rows(path)
        if done(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def measured(path):
    """{name: part of what both had}, over LEAST_MS."""
    before = rows(path)

    def ran(found):
        return {name: found[name]["running_ms"] - before[name]["running_ms"] for name in before}

    had = ran(sleep_until(path, lambda found: sum(ran(found).values()) >= LEAST_MS))
    return {name: had[name] / sum(had.values()) for name in had}


@pytest.fixture
def hogs(candor, tmp_path):
    """hogs("a,weight=3", "b", words...): machines that never give way; returns (machine, path of the control socket)."""

    def start(*names, options=(), **rest):
        path = tmp_path / "ctl"
        machine = candor(*(f"{HOG},name={name}" for name in names), options=("--ctl", path, *options), **rest)
        for _ in names:
            machine.expect("hogging")
        return machine, path

    return start


def test_shares_follow_the_weights(hogs):
    _, path = hogs("a", "b,weight=300", options=("--smp", "1", "--icount"))
    assert abs(measured(path)["a"] - 0.25) < NEAR
    assert ctl(path, "weight", "a")["result"] == [{"vm": "a", "weight": 100}]
    assert ctl(path, "weight", "a", "900")["result"] == [{"vm": "a", "weight": 900}]
    assert rows(path)["a"]["weight"] == 900
    assert abs(measured(path)["a"] - 0.75) < NEAR
    for absurd in ("0", "10001", "-5", "much"):
        answer = ctl(path, "weight", "a", absurd)
        assert not answer["ok"] and "is not a number from 1 to 10000" in answer["error"]
    assert rows(path)["a"]["weight"] == 900


def test_round_robin_gives_all_the_same_and_says_so(hogs):
    _, path = hogs("a", "b", options=("--smp", "1", "--icount", "--scheduler", "round-robin"))
    assert abs(measured(path)["a"] - 0.5) < NEAR
    answer = ctl(path, "weight", "a", "900")
    assert not answer["ok"] and "the scheduler is round-robin" in answer["error"]


@pytest.mark.parametrize("scheduler", ["weighted", "round-robin"])
def test_who_is_paused_on_another_hart_stops_there(hogs, scheduler):
    _, path = hogs("a", "b", options=("--smp", "2", "--scheduler", scheduler))
    apart = sleep_until(path, lambda found: found["a"]["hart"] != found["b"]["hart"])
    for name in sorted(apart):  # one of them runs where the console is served, the other does not
        other = "b" if name == "a" else "a"
        assert ctl(path, "pause", name)["ok"]
        sleep_until(path, lambda found: found[name]["state"] == "paused")
        stopped = rows(path)
        gone_on = sleep_until(path, lambda found: found[other]["running_ms"] > stopped[other]["running_ms"] + 300)
        stood = gone_on[name]["running_ms"] - stopped[name]["running_ms"]
        assert stood <= 1, (name, stopped, gone_on)
        assert gone_on[name]["steal_ms"] - stopped[name]["steal_ms"] <= 1
        assert ctl(path, "resume", name)["ok"]
        sleep_until(path, lambda found: found[name]["running_ms"] > gone_on[name]["running_ms"] + 100)


@pytest.mark.parametrize("scheduler", ["weighted", "round-robin"])
def test_a_hart_with_nothing_to_do_has_no_tick_and_a_lone_machine_ten_a_second(candor, tmp_path, scheduler):
    path = tmp_path / "t.records"
    machine = candor(f"{HOG},name=a", options=("--smp", "2", "--trace", path, "--scheduler", scheduler))
    machine.expect("hogging")
    time.sleep(WATCHED_S)
    machine.end()
    recorded = trace.load_records(str(path))
    settled = max(event.time for events in recorded.harts for event in events if event.kind == "START")
    busy, idle = ([e for e in events if e.kind == "TIMER" and e.time > settled] for events in sorted(recorded.harts, key=len, reverse=True))
    assert not idle
    assert len(busy) >= 8 * WATCHED_S
    seconds = (busy[-1].time - settled) / recorded.timebase
    assert len(busy) <= 10 * seconds + 1, (len(busy), seconds)


def test_what_cannot_be_a_weight_is_refused_before_anything_starts(start):
    for words, reason in (
        (("--vm", f"{HOG},name=a,weight=0"), "vm a: weight '0' is not a number from 1 to 10000"),
        (("--vm", f"{HOG},name=a,weight=10001"), "vm a: weight '10001' is not a number from 1 to 10000"),
        (("--vm", f"{HOG},name=a,weight=1.5"), "vm a: weight '1.5' is not a number"),
        (("--scheduler", "round-robin", "--vm", f"{HOG},name=a,weight=5"), "round robin knows no weights"),
        (("--scheduler", "fair", "--vm", HOG), "invalid choice: 'fair'"),
    ):
        machine = start("run", *words)
        machine.expect(re.escape(reason))
        assert machine.wait_exit() == 2

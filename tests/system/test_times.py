# SPDX-License-Identifier: MIT
"""What a machine knows of its time: stolen beside a busy neighbour, all its own where it is alone. Counted instructions are
the clock, so the host does not matter; what remains is where an interval begins in a turn of 10 ms."""

import re

BUDGET_S = 60
SIDE_BY_SIDE = True

FRANK = "image=build/frank-pv.elf,initrd=build/initrd.img"
ICOUNT = ("--icount",)
INTERVAL_S = 0.5
TURN_PERCENT = 100 * 0.010 / INTERVAL_S
WAIT_S = 60
CPU = re.compile(r"cpu: user ([\d.]+) %, system ([\d.]+) %, idle ([\d.]+) %, steal ([\d.]+) %")
SPEAKER = re.compile(r"^(alpha\| |beta\| .*\n)", re.M)
PROCESS = re.compile(r" *(\d+) +(\d+) (running|ready|asleep|zombie) +([\d.]+) +(\d+) +([\d.]+)s  (\w+)")


def said(machine, command):
    """What a command printed, without the name that tells machines apart, and without what the other one says."""
    return SPEAKER.sub("", machine.shell(command, WAIT_S))


def look(machine):
    """({"user": percent, ...}, {command: percent}) of an interval in which `spin` runs, by `top`."""
    machine.prompt(WAIT_S)
    said(machine, "sleep 0.1")  # the neighbour has started
    said(machine, "spin > /dev/null &")
    shown = said(machine, f"top -n 1 -d {INTERVAL_S}")
    assert all(len(line) <= 80 for line in shown.splitlines()), shown
    shares = dict(zip(("user", "system", "idle", "steal"), map(float, CPU.search(shown).groups())))
    assert abs(sum(shares.values()) - 100) < 0.3, shown
    return shares, {match[7]: float(match[4]) for match in map(PROCESS.match, shown.splitlines()) if match}


def test_half_the_time_is_stolen_beside_a_busy_neighbour(candor):
    machine = candor(f"{FRANK},name=alpha", f"{FRANK},name=beta,args=run=/bin/spin,,900", options=ICOUNT)
    shares, processes = look(machine)
    assert abs(shares["steal"] - 50) <= TURN_PERCENT, shares
    assert shares["idle"] == 0 and shares["user"] > 40, shares
    # What was stolen is charged to nobody.
    assert abs(sum(processes.values()) - (shares["user"] + shares["system"])) < 0.5, processes
    assert processes["spin"] > 40
    up = said(machine, "uptime")
    assert re.fullmatch(r"up 0:\d\d:\d\d\.\d\d, idle [\d.]+ %, steal [\d.]+ %\n", up), up
    said(machine, f"sleep {INTERVAL_S}")
    load, steal = re.search(r"; last [\d.]+ s: load ([\d.]+), steal ([\d.]+) %\n", said(machine, "uptime")).groups()
    assert float(load) == 1 and abs(float(steal) - 50) <= TURN_PERCENT


def test_nothing_is_stolen_from_a_machine_that_is_alone(candor):
    machine = candor(f"{FRANK},name=alpha,args=run=/bin/top,,-n,,2,,-d,,{INTERVAL_S}", options=ICOUNT)
    for _ in range(2):
        _, _, idle, steal = map(float, machine.expect(CPU.pattern).groups())
        assert steal == 0 and idle > 95
    assert machine.wait_exit() == 0


def test_the_bare_machine_knows_no_theft(native):
    shares, processes = look(native())
    assert shares["steal"] == 0 and shares["idle"] == 0 and processes["spin"] > 0, shares


def test_top_on_a_terminal_goes_on_until_it_is_told_to_stop(frank):
    machine = frank()
    for key in ("q", "\x03"):
        machine.type_line("top -d 0.1")
        for _ in range(3):
            machine.expect(CPU.pattern)
        machine.send(key)
        machine.prompt()
        assert machine.shell("echo still cooked") == "still cooked\n"
    assert "usage: top" in machine.shell("top -n 0")
    assert "usage: top" in machine.shell("top -d -1")
    assert machine.shell("top -n 2 -d 0.05 | grep -c PID") == "2\n"

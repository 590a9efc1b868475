# SPDX-License-Identifier: MIT
"""The monitor on a real machine: VMs are paused, ended and looked at while others go on; logs; the control channel."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from candorlib import between, bundle
from machine import ROOT

BUDGET_S = 120

FRANK = "image=build/frank-pv.elf,initrd=build/initrd.img"
PREFIX = "\x14"


@pytest.fixture
def two(candor):
    def start(*options):
        machine = candor(f"{FRANK},name=alpha", f"{FRANK},name=beta", options=options)
        prompts = set()
        while len(prompts) < 2:
            prompts.add(machine.expect(r"(alpha|beta)\S*\| [^\r\n]*frank\$ ")[1])
        return machine

    return start


def monitor(machine):
    machine.send(PREFIX + "m")
    machine.expect("candor> ")


def command(machine, text):
    """What the monitor prints for a command, up to its prompt."""
    machine.type_line(text)
    machine.expect(re.escape(text) + r"\r*\n")
    machine.expect("candor> ")
    return machine.before


def times(machine, name):
    """(state, seconds running and idle together, running, stolen) of a VM as `vms` shows them."""
    match = re.search(rf"{name} +(\w+) +([\d.]+) +([\d.]+) +([\d.]+)", command(machine, "vms"))
    return match[1], round(float(match[2]) + float(match[3]), 3), float(match[2]), float(match[4])


def row(machine, name):
    """(state, running seconds, stolen seconds) of a VM."""
    state, _, running, stolen = times(machine, name)
    return state, running, stolen


def row_until(machine, name, done):
    deadline = time.monotonic() + 20
    while not done(found := row(machine, name)):
        assert time.monotonic() < deadline, found


def ctl(path, *words):
    done = subprocess.run(
        [sys.executable, ROOT / "tools/candor", "ctl", "--socket", str(path), *words],
        capture_output=True, text=True, timeout=40, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_a_paused_machine_stands_still_and_goes_on_where_it_was(two):
    machine = two()
    machine.type_line("spin")
    monitor(machine)
    assert command(machine, "pause alpha") == "alpha is paused\n"
    before = row(machine, "alpha")
    time.sleep(1)
    assert row(machine, "alpha") == before
    assert before[0] == "paused"
    machine.send(PREFIX + "2")
    machine.expect("input goes to beta")
    machine.type_line("echo beta goes on")
    machine.expect(r"beta\S*\| \S*beta goes on")
    monitor(machine)
    command(machine, "resume alpha")
    row_until(machine, "alpha", lambda after: after[0] == "running" and after[1] > before[1] + 0.5)
    machine.send(PREFIX + "1")
    machine.send("\x03")
    machine.expect(r"\^C")
    machine.type_line("echo and alpha")
    machine.expect(r"alpha\S*\| [^\r\n]*and alpha\r")


def test_machines_are_ended_and_rebooted_and_nothing_is_lost(two):
    machine = two()
    monitor(machine)
    row_until(machine, "beta", lambda now: now[0] == "idle")
    command(machine, "pause beta")
    paused, begun = times(machine, "beta"), times(machine, "alpha")[1]
    assert paused[0] == "paused"
    while times(machine, "alpha")[1] < begun + 0.3:
        assert times(machine, "beta") == paused
    machine.type_line("reboot beta")
    machine.expect("candor: beta: reboots")
    machine.expect(r"beta\S*\| Frank on Candor")
    machine.expect(r"beta\S*\| [^\r\n]*frank\$ ")
    machine.type_line("kill beta")
    machine.expect("candor: beta: ended by the monitor")
    row_until(machine, "beta", lambda ended: ended[0] == "off")
    for verb in ("kill", "reboot", "pause", "resume", "switch"):
        assert f"{verb}: beta " in command(machine, f"{verb} beta")
    assert "audit: clean" in command(machine, "audit")
    machine.type_line("kill alpha")
    machine.expect("candor: alpha: ended by the monitor")
    assert machine.wait_exit() == 0


def test_top_goes_on_until_a_key_and_holds_nobody_up(two):
    machine = two()
    machine.type_line("spin > /dev/null &")
    machine.expect(r"frank\$ ")
    monitor(machine)
    machine.type_line("top")
    for _ in range(3):
        machine.expect(r"calls/s +traps/s +memory")
        machine.expect(r"alpha +running +(\d+)% +\d+% +\d+ +\d+ +64 M")
        machine.expect(r"beta +idle +\d+% +\d+% +(\d+) +(\d+) +64 M")
    machine.send("q")
    machine.expect("candor> ")
    machine.absent("calls/s", 1.5)
    machine.type_line("top")
    machine.expect("calls/s")
    machine.send(PREFIX + "2")
    machine.expect("input goes to beta")
    machine.absent("calls/s", 1.5)


def test_a_walk_tells_addresses_and_faults(two):
    machine = two()
    monitor(machine)
    shown = command(machine, "walk alpha 10000")
    assert re.search(r"gva 10000 -> gpa 8[0-9a-f]{7} \(data\) -> machine [0-9a-f]+\n", shown)
    assert "user   fetch  yes" in shown and "user   write  fault: the page has no W" in shown
    shown = command(machine, "walk alpha 3000000000")
    assert "gva 3000000000 -> nothing" in shown and "kernel read   fault: no table is linked there" in shown
    shown = command(machine, "walk alpha ffffffc080000000")
    assert "(pool)" in shown and "which Candor alone writes" in shown


def test_a_walk_finds_the_space_in_use_on_another_hart(two):
    machine = two("--smp", "2")
    monitor(machine)
    for name in ("alpha", "beta"):  # each is on a hart of its own, and one of them not on the console's
        assert "user   fetch  yes" in command(machine, f"walk {name} 10000"), name


def test_switching_shows_what_was_missed(two):
    machine = two()
    machine.type_line("(sleep 1; echo one; echo two) &")
    machine.send(PREFIX + "2")
    machine.expect("input goes to beta")
    machine.expect(r"alpha\S*\| [^\r\n]*two\r")
    for _ in range(12):
        machine.send(PREFIX + "h")
        machine.expect("sends Ctrl-T")
    machine.send(PREFIX + "1")
    machine.expect(r"input goes to alpha; it has said \d+ lines? meanwhile")
    machine.expect(r"alpha\| [^\r\n]*one\r*\nalpha\| [^\r\n]*two\r*\n")


def test_each_machine_has_its_log(two, tmp_path):
    machine = two("--log", tmp_path / "new" / "logs")
    machine.type_line("echo only alpha")
    machine.expect(r"alpha\S*\| only alpha\r")
    machine.send(PREFIX + "2")
    machine.expect("input goes to beta")
    machine.type_line("echo 'alpha| forged'; poweroff")
    machine.expect("beta: shut down")
    machine.send(PREFIX + "1")
    machine.type_line("poweroff")
    assert machine.wait_exit() == 0
    logs = {path.name: path.read_text() for path in (tmp_path / "new" / "logs").iterdir()}
    assert set(logs) == {"candor.log", "vm-alpha.log", "vm-beta.log"}
    assert logs["vm-alpha.log"].count("Welcome to Frank") == 1
    assert "| " not in logs["vm-alpha.log"] and "\x1b" not in logs["vm-alpha.log"]
    assert "\nonly alpha\n" in logs["vm-alpha.log"] and "\nalpha| forged\n" in logs["vm-beta.log"] and "forged" not in logs["vm-alpha.log"]
    assert "candor: beta: shut down\n" in logs["candor.log"]
    assert "\x1e" not in machine.transcript


def test_one_machine_alone_has_its_log_too_and_its_exit_status(candor, tmp_path):
    machine = candor(f"{FRANK},name=solo,args=run=/bin/echo,,hello", options=("--log", tmp_path))
    machine.expect("solo: ")
    machine.wait_exit()
    assert "hello\n" in (tmp_path / "vm-solo.log").read_text()


def test_logs_of_a_bundle_that_was_packed_before(start, tmp_path):
    packed = tmp_path / "packed"
    words = ["tools/candor", "pack", "--vm", f"{FRANK},name=solo", "--output", packed]
    subprocess.run(words, cwd=ROOT, check=True)
    machine = start("run", "--bundle", packed, "--log", tmp_path / "logs")
    machine.prompt()
    machine.type_line("poweroff")
    assert machine.wait_exit() == 0
    assert "Welcome to Frank" in (tmp_path / "logs" / "vm-solo.log").read_text()


def test_programs_give_commands_and_the_terminal_does_not_notice(two, tmp_path):
    path = tmp_path / "ctl"
    machine = two("--ctl", path)
    assert path.stat().st_mode & 0o777 == 0o600
    machine.send("echo ty")
    for _ in range(3):
        status, answer = ctl(path, "vms")
        assert status == 0 and answer["ok"]
        assert [row["vm"] for row in answer["result"]] == ["alpha", "beta"]
        assert {row["state"] for row in answer["result"]} == {"idle"}
    machine.type_line("ped")
    machine.expect(r"ped\r*\n\S*alpha\S*\| typed\r*\n")
    assert ctl(path, "pause", "beta") == (0, {"ok": True, "error": "", "result": []})
    assert ctl(path, "vms")[1]["result"][1]["state"] == "paused"
    status, answer = ctl(path, "pause", "beta")
    assert (status, answer["ok"], answer["error"]) == (1, False, "beta is paused already")
    assert ctl(path, "kill", "nobody")[1]["error"] == "there is no VM nobody: `vms` lists them"
    assert ctl(path, "x" * 100)[0] == 1
    assert ctl(path, "walk", "alpha", "10000")[1]["result"][3]["mapped"]
    assert ctl(path, "audit")[1]["result"][0]["violations"] == 0
    assert "\x1e" not in machine.transcript and '"id"' not in machine.transcript
    assert ctl(path, "quit")[0] == 0
    assert machine.wait_exit() == 0
    assert not path.exists()
    assert ctl(path, "vms")[0] == 2


def test_many_programs_at_once_are_all_answered(two, tmp_path):
    path = tmp_path / "ctl"
    two("--ctl", path)
    silent = [socket.socket(socket.AF_UNIX) for _ in range(between.CLIENTS_MAX - 1)]
    for one in silent:
        one.connect(str(path))
    words = [sys.executable, ROOT / "tools/candor", "ctl", "--socket", str(path), "vms", "-v"]
    asking = [subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(6)]
    for one in asking:
        answer = json.loads(one.communicate(timeout=40)[0])
        assert answer["ok"] and len(answer["result"]) == 6
    for one in silent:
        one.close()


def test_what_is_no_text_is_no_command(two, tmp_path):
    path = tmp_path / "ctl"
    two("--ctl", path)
    words = [sys.executable, ROOT / "tools/candor", "ctl", "--socket", str(path), b"pause \xff\xfe"]
    done = subprocess.run(words, capture_output=True, timeout=40)
    assert done.returncode == 1 and not done.stderr
    assert "printable ASCII" in json.loads(done.stdout)["error"]


def test_what_cannot_be_written_is_said_before_anything_starts(start, tmp_path):
    (tmp_path / "file").write_text("")
    machine = start("run", "--vm", FRANK, "--log", tmp_path / "file")
    machine.expect("candor: cannot make the log folder .*file: File exists")
    assert machine.wait_exit() == 2
    machine = start("run", "--vm", FRANK, "--ctl", tmp_path / ("x" * 200))
    machine.expect("candor: cannot make the control socket")
    assert machine.wait_exit() == 2
    (tmp_path / "logs/vm-beta.log").mkdir(parents=True)
    machine = start("run", "--vm", FRANK, "--vm", f"{FRANK},name=beta", "--log", tmp_path / "logs")
    machine.expect("candor: cannot write the log .*vm-beta.log: Is a directory")
    assert machine.wait_exit() == 2
    machine = start("run", "--vm", FRANK, "--log", "")
    machine.expect("candor: --log is empty: give it a place, or leave it out")
    assert machine.wait_exit() == 2


def test_a_file_in_the_place_of_the_socket_is_left_as_it_is(start, tmp_path):
    (tmp_path / "notes").write_text("not to be lost")
    machine = start("run", "--vm", FRANK, "--ctl", tmp_path / "notes")
    machine.expect("notes is no socket, so it is left as it is: give another place")
    assert machine.wait_exit() == 2
    assert (tmp_path / "notes").read_text() == "not to be lost"


def test_clients_that_say_nothing_keep_the_others_waiting_for_a_while_only(tmp_path, monkeypatch):
    monkeypatch.setattr(between, "ANSWER_S", 0)
    control = between.Control(str(tmp_path / "ctl"))
    silent = []
    for _ in range(between.CLIENTS_MAX):
        assert control.has_room()
        silent.append(socket.socket(socket.AF_UNIX))
        silent[-1].connect(control.path)
        control.accept()
    assert not control.has_room()
    for client in control.too_quiet(time.monotonic() + 1):
        control.refuse(client)
    assert control.has_room()
    for client in silent:
        assert "no command came" in json.loads(client.recv(4096))["error"]
        client.close()
    control.close()


def test_a_second_machine_does_not_take_the_socket(two, start, tmp_path):
    path = tmp_path / "ctl"
    two("--ctl", path)
    machine = start("run", "--vm", FRANK, "--ctl", path)
    machine.expect("another machine has the control socket")
    assert machine.wait_exit() == 2
    assert ctl(path, "vms")[0] == 0


def test_qemu_ends_with_the_launcher(tmp_path):
    words = [sys.executable, ROOT / "tools/candor", "run", "--vm", FRANK, "--ctl", tmp_path / "ctl"]
    launcher = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 20
    while not (tmp_path / "ctl").exists() or ctl(tmp_path / "ctl", "vms")[0] != 0:
        assert time.monotonic() < deadline
    qemu = int(subprocess.run(["pgrep", "-P", str(launcher.pid)], capture_output=True, text=True, check=True).stdout)
    launcher.send_signal(signal.SIGKILL)
    launcher.wait()
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{qemu}") and "Z" not in state_of(qemu):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def state_of(process):
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


# ---- without a machine ----


def taken_apart(data, size):
    said, records = {}, []

    def say(speaker, text):
        said[speaker] = said.get(speaker, b"") + text

    splitter = between.Splitter(say, records.append)
    shown = b"".join(splitter.feed(data[at : at + size]) for at in range(0, len(data), size))
    return shown, said, records


def test_marks_and_records_are_found_however_the_output_is_cut():
    data = b"candor: hi\r\n\x1e-\nvm1| \x1e1\nte\x1e{\"id\":1}\nxt\r\n\x1e-\nvm2| te\x1e2\nst\x1e0\n\r\nc"
    expected = (b"candor: hi\r\nvm1| text\r\nvm2| test\r\nc", {0: b"candor: hi\r\n\r\nc", 1: b"text\r\n", 2: b"st"}, [b'{"id":1}'])
    for size in (1, 2, 3, 7, len(data)):
        assert taken_apart(data, size) == expected


def test_a_log_has_plain_lines(tmp_path):
    log = between.Log(tmp_path / "log")
    log.write(b"frank$ lx\b \b\bls\r\n10%\r50%\r\r\n\r\nunfini")
    log.write(b"shed")
    assert (tmp_path / "log").read_bytes() == b"frank$ ls\n10%\n50%\n\n"
    log.close()
    assert (tmp_path / "log").read_bytes().endswith(b"\nunfinished\n")
    log = between.Log(tmp_path / "log")
    log.write(b"\x1b[3A\x1b[J 1  a\tidle\x07\r\n")
    log.close()
    assert (tmp_path / "log").read_bytes() == b" 1  a\tidle\n"


def test_a_request_never_comes_between_the_prefix_and_its_key():
    keys = between.Keys(on_terminal=True)
    assert keys.feed(b"ab\x14") == b"ab" and keys.prefixed
    assert keys.feed(b"2c") == b"\x142c" and not keys.prefixed
    assert keys.feed(b"\x14\x14\x14") == b"\x14\x14" and keys.prefixed
    assert keys.feed(b"m\x01\x01\x01h") == b"\x14m\x01" and not keys.ended
    keys.feed(b"\x01x")
    assert keys.ended
    assert between.Keys(on_terminal=False).feed(b"\x01x") == b"\x01x"


def test_what_is_no_bundle_is_left_to_candor_to_refuse(tmp_path):
    packed = tmp_path / "packed"
    words = ["tools/candor", "pack", "--vm", f"{FRANK},name=solo", "--output", packed]
    subprocess.run(words, cwd=ROOT, check=True)
    good = packed.read_bytes()
    marked = bundle.with_flags(good, bundle.FLAG_MARKS)
    assert marked != good and bundle.with_flags(marked, bundle.FLAG_MARKS) == marked
    assert bundle.with_flags(marked, 0, bundle.FLAG_MARKS) == good
    for bad in (b"", b"no bundle", good[:100], good[:-1] + bytes([good[-1] ^ 1])):
        assert bundle.with_flags(bad, bundle.FLAG_MARKS) == bad


def test_a_line_of_candors_leaves_the_prompt_below_it(two, tmp_path):
    path = tmp_path / "ctl"
    machine = two("--ctl", path)
    monitor(machine)
    machine.send("vm")
    machine.expect("vm")
    assert ctl(path, "kill", "alpha")[0] == 0
    machine.expect(r"^\r*\ncandor: alpha: [^\r\n]*\r*\ncandor> vm")
    machine.type_line("s")
    machine.expect(r"beta +idle ")

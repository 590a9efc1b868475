# SPDX-License-Identifier: MIT
"""Frank's shell and programs behave alike in every column: on the bare machine, paravirtualized, bounced."""

import time

BUDGET_S = 90
SIDE_BY_SIDE = True

STANDSTILL_S = 1


def test_the_shell_runs_programs_and_powers_off(frank):
    machine = frank()
    assert {"cat", "echo", "grep", "init", "ls", "ps", "sh", "wc"} <= set(machine.shell("ls /bin").split())
    assert machine.shell("echo one two") == "one two\n"
    processes = machine.shell("ps")
    assert "init" in processes and "sh" in processes
    machine.type_line("poweroff")
    assert machine.wait_exit() == 0


def test_pipes_and_redirection_carry_data(frank):
    machine = frank()
    assert machine.shell("echo a b c | wc").split() == ["1", "3", "6"]
    machine.shell("echo first > /tmp.txt")
    machine.shell("echo second >> /tmp.txt")
    assert machine.shell("cat /tmp.txt") == "first\nsecond\n"
    assert machine.shell("cat < /tmp.txt | grep sec") == "second\n"
    assert machine.shell("ls /bin | cat | cat | grep ^ec") == "echo\n"


def test_a_missing_program_is_told_and_the_shell_goes_on(frank):
    machine = frank()
    assert "nonesuch" in machine.shell("nonesuch")
    assert machine.shell("echo still here") == "still here\n"


def test_control_c_ends_the_foreground_program_alone(frank):
    machine = frank()
    machine.type_line("spin")
    machine.absent(r"\$ ", 0.5)
    machine.send("\x03")
    machine.prompt()
    assert machine.shell("echo alive") == "alive\n"
    assert "spin" not in machine.shell("ps")


def test_the_terminals_keys_reach_the_foreground(native):
    """A group that nobody could continue is not stopped by ^Z; ^\\ ends it."""
    machine = native(options=("--args", "run=/bin/cat"))
    machine.expect("running /bin/init")
    machine.type_line("before")
    machine.expect("before\r*\nbefore\r*\n")
    machine.send("\x1a")
    machine.expect(r"\^Z")
    machine.type_line("behind")
    machine.expect("behind\r*\nbehind\r*\n")
    machine.send("\x1c")
    machine.expect(r"init: /bin/cat ended with status 131")
    assert machine.wait_exit() == 0


def test_a_background_program_is_seen_and_killed(frank):
    machine = frank()
    machine.shell("spin &")
    line = next(line for line in machine.shell("ps").splitlines() if line.rstrip().endswith("spin"))
    machine.shell(f"kill {line.split()[0]}")
    machine.shell("sleep 1")
    assert not any(line.rstrip().endswith("spin") for line in machine.shell("ps").splitlines())


def test_typed_mistakes_can_be_taken_back(frank):
    machine = frank()
    machine.type_line("ecko\x7f\x7f\x7fcho edited")
    machine.expect(r"\nedited\r*\n")
    machine.prompt()


def test_reboot_starts_frank_again(frank):
    machine = frank()
    machine.type_line("reboot")
    machine.expect("Welcome to Frank")
    machine.prompt()
    assert machine.shell("echo again") == "again\n"


def test_no_output_is_lost_to_a_terminal_that_stands_still(frank):
    machine = frank()
    line = "0123456789abcdef" * 4
    machine.shell(f"echo {line} > /1; cat /1 /1 /1 /1 /1 /1 /1 /1 /1 /1 > /10")
    machine.shell("cat /10 /10 /10 /10 /10 /10 /10 /10 /10 /10 > /100; cat /100 /100 /100 /100 > /400")
    machine.type_line("cat /400; echo all of it")
    time.sleep(STANDSTILL_S)
    machine.expect(r"\nall of it\r*\n")
    assert machine.before.count(line) == 400

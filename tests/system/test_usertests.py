# SPDX-License-Identifier: MIT
"""Frank's own tests, as a program in Frank, pass in every column; and no page is lost over many processes."""

import re

BUDGET_S = 150
SIDE_BY_SIDE = True
SUITE_S = 90  # for all tests of one column


def test_usertests_pass(frank):
    machine = frank()
    machine.type_line("usertests")
    match = machine.expect(r"usertests: (\d+) passed, (\d+) failed", timeout=SUITE_S)
    failed = re.findall(r"(\w+): FAILED", machine.before)
    assert not failed and match.group(2) == "0", failed
    assert int(match.group(1)) > 100
    machine.prompt()
    assert machine.shell("echo $?") == "0\n"


def test_many_processes_leave_no_page_behind(frank):
    """Five thousand; fewer where each costs many traps."""
    machine = frank()
    count = {"shadow-s": 1000, "shadow-u": 200}.get(frank.column, 5000)
    assert machine.shell(f"usertests leak {count}", timeout=SUITE_S) == f"leak: {count} processes, no page missing\n"


def test_init_runs_one_program_and_powers_off(native):
    machine = native(options=("--args", "run=/bin/usertests,fork_gives_pids,pipe_passes_bytes_in_order"))
    machine.expect("usertests: 2 passed, 0 failed")
    machine.expect("init: /bin/usertests ended with status 0")
    assert machine.wait_exit() == 0


def test_init_tells_the_status_of_what_it_ran(native):
    machine = native(options=("--args", "run=/bin/usertests,no_such_test"))
    machine.expect("no test no_such_test")
    machine.expect("init: /bin/usertests ended with status 2")
    assert machine.wait_exit() == 0

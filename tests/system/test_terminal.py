# SPDX-License-Identifier: MIT
"""What is typed becomes lines and signals: the terminal and the shell on the bare machine.

The code is common to all columns; test_frank.py shows that typing works in each.
"""

BUDGET_S = 60


def test_a_word_and_a_line_can_be_erased(native):
    machine = native()
    machine.prompt()
    machine.type_line("echo one two\x17three")
    machine.expect(r"\none three\r*\n")
    machine.prompt()
    machine.type_line("garbage\x15echo clean")
    machine.expect(r"\nclean\r*\n")
    machine.prompt()


def test_control_c_at_the_prompt_forgets_the_line(native):
    machine = native()
    machine.prompt()
    machine.send("rm everything\x03")
    machine.prompt()
    assert machine.shell("echo $?") == "130\n"


def test_control_c_is_not_lost_when_it_comes_before_the_shell_reads(native):
    machine = native()
    machine.prompt()
    for _ in range(30):
        machine.send("x\x03")
        machine.expect(r"x\^C\r*\n")
        machine.prompt(timeout=5)


def test_control_c_ends_a_whole_pipeline(native):
    machine = native()
    machine.prompt()
    machine.type_line("spin | cat | cat")
    machine.absent(r"\$ ", 0.5)
    machine.send("\x03")
    machine.prompt()
    assert len(machine.shell("ps").splitlines()) == 4  # the heading, init, sh, ps


def test_control_d_ends_input_and_at_the_prompt_the_shell(native):
    machine = native()
    machine.prompt()
    machine.type_line("echo ready; cat")
    machine.expect("ready\r*\n")
    machine.type_line("words")
    machine.expect(r"words\r*\nwords\r*\n")
    machine.send("\x04")
    machine.prompt()
    machine.send("\x04")
    machine.expect("the shell ended with status 0; here is another")
    machine.prompt()


def test_quotes_and_operators_ask_for_more_lines(native):
    machine = native()
    machine.prompt()
    machine.type_line('echo "first')
    machine.expect("> ")
    machine.type_line('second" |')
    machine.expect("> ")
    machine.type_line("cat")
    machine.expect(r"\nfirst\r*\nsecond\r*\n")
    machine.prompt()


def test_scripts_take_arguments_and_say_where_they_fail(native):
    machine = native()
    machine.prompt()
    machine.shell("cd /tmp")
    machine.shell("echo 'echo $0 has $1 of $#' > script")
    assert machine.shell("sh script x y") == "script has x of 2\n"
    assert "syntax error near )" in machine.shell("echo ) x")
    assert machine.shell("sh missing; echo $?") == "sh: missing: No such file or directory\n127\n"


def test_the_prompt_carries_the_host_of_the_arguments(native):
    machine = native(options=("--args", "host=vm7"))
    machine.expect(r"vm7\$ ")


def test_long_lines_ring_and_do_no_harm(native):
    machine = native()
    machine.prompt()
    # The terminal keeps the line, from when cat has it on: the shell, which edits its own, would take it away.
    machine.type_line("echo ready; cat; echo over")
    machine.expect("ready\r*\n")
    machine.send("x" * 3000)
    machine.expect("\a")
    machine.send("\x15\x04")
    machine.expect("over\r*\n")
    machine.prompt()
    assert machine.shell("echo fine").endswith("fine\n")

# SPDX-License-Identifier: MIT
"""The screen editor: what keys do to the screen and to the file, on the bare machine's terminal and on Candor's console."""

import re

import pytest

BUDGET_S = 45
SIDE_BY_SIDE = True

SAVE, QUIT, FIND, CUT, PASTE = "\x13", "\x11", "\x06", "\x0b", "\x15"
UP, DOWN, RIGHT, LEFT, HOME, END, DELETE = ("\x1b" + rest for rest in ("[A", "[B", "[C", "[D", "[H", "[F", "[3~"))
CLEARED = re.escape("\x1b[H\x1b[J")


@pytest.fixture
def machine(frank):
    machine = frank()
    if frank.column != "native":
        machine.send("\x14f")
        machine.expect("candor: frank has the screen until Ctrl-T and a key are typed\r*\n")
        machine.send("\r")
        machine.prompt()
    return machine


@pytest.fixture
def edit(machine):
    """edit(path): the editor with a text on the screen; edit.keys(keys, shown): type, and wait for what the status says."""

    def begin(path, status):
        machine.type_line(f"edit {path}")
        machine.expect(CLEARED)
        machine.expect(re.escape(status))
        return keys

    def keys(typed, shown):
        machine.send(typed)
        machine.expect(shown)

    return begin


def leave(machine, keys):
    keys(QUIT, CLEARED)
    machine.prompt()


def test_a_new_file_is_written_and_saved(machine, edit):
    keys = edit("/tmp/new", "a new file")
    keys("two\rthree" + HOME + UP + HOME + "one\r" + END + "!", r"/tmp/new \*  2/3  5 ")
    keys(SAVE, "/tmp/new  2/3  5  saved")
    leave(machine, keys)
    assert machine.shell("cat /tmp/new; ls /tmp") == "one\ntwo!\nthreenew\n"


def test_characters_are_deleted_and_lines_joined_and_moved(machine, edit):
    machine.shell("printf 'one\\ntwo\\nthree\\n' > /tmp/text")
    keys = edit("/tmp/text", "/tmp/text  1/4  1")
    keys(CUT + CUT, r"\*  1/2  1 ")
    keys(DOWN + PASTE + PASTE, "  6/6  1 ")
    keys(UP + UP + END + DELETE + "\x7f", "  4/5  3 ")
    keys("\u00e4" + LEFT + "b", "  4/5  4 ")
    keys(SAVE, "saved")
    leave(machine, keys)
    assert machine.shell("cat /tmp/text") == "three\none\ntwo\nonb\u00e4two\n"


def test_changes_are_not_lost_by_one_key(machine, edit):
    machine.shell("echo old > /tmp/text")
    keys = edit("/tmp/text", "1/2")
    keys("new " + QUIT, "not saved: ")
    keys(RIGHT + QUIT, "not saved: ")
    leave(machine, keys)
    assert machine.shell("cat /tmp/text") == "old\n"


def test_text_is_found(machine, edit):
    keys = edit("/etc/motd", "/etc/motd  1/")
    keys(FIND + "poweroff\r", r"/etc/motd  1/2  50 ")
    keys(FIND + "nothing of the kind\r", "not found: nothing of the kind")
    leave(machine, keys)


def test_a_line_wider_than_the_screen_moves_sideways(machine, edit):
    machine.shell("printf '%0120d\\n\\ttab\\001\\n' 7 > /tmp/wide")
    keys = edit("/tmp/wide", "1/3  1 ")
    keys(END, r"\x1b\[1;1H0{39,79}7\x1b\[K")
    keys(HOME, r"\x1b\[1;1H0{80}\x1b\[K\x1b\[2;1H {8}tab\^A")
    keys(DOWN + END + DELETE + SAVE, "saved")
    leave(machine, keys)
    assert machine.shell("wc -l < /tmp/wide").split() == ["1"]


@pytest.mark.parametrize("path, error", [("/bin", "Is a directory"), ("/dev/null", "Invalid argument")])
def test_what_is_no_text_is_refused(machine, path, error):
    assert machine.shell(f"edit {path}; echo $?") == f"edit: {path}: {error}\n1\n"


def test_a_text_that_cannot_be_saved_stays(machine, edit):
    keys = edit("/nothing/text", "a new file")
    keys("x" + SAVE, "not saved: No such file or directory")
    keys("y" + QUIT, "not saved: ")
    leave(machine, keys)


def test_the_terminal_is_put_back_by_a_signal(machine):
    machine.shell("sh -c 'until test -f /tmp/text; do :; done; kill -TERM $(cat /tmp/pid)' &")
    machine.type_line("sh -c 'echo $$ > /tmp/pid; exec edit /tmp/text'")
    machine.expect("a new file")
    machine.send("x" + SAVE)
    machine.expect(CLEARED)
    machine.prompt()
    assert machine.shell("echo fine; wc -c < /tmp/text").split()[-2:] == ["fine", "1"]


def test_without_the_screen_candor_says_how_to_have_it(candor):
    machine = candor("image=build/frank-pv.elf,initrd=build/initrd.img,name=frank")
    machine.prompt()
    machine.type_line("edit /tmp/new")
    machine.expect("candor: frank draws on a screen, and has lines: Ctrl-T f gives it the screen\r*\n")
    assert "\x1b" not in machine.transcript
    machine.send("\x14f")
    machine.expect("has the screen until")
    machine.send("text\x0c")
    machine.expect(CLEARED + r"\x1b\[1;1Htext\x1b\[K")
    machine.send("\x141")
    machine.expect(r"\x1b\[0m\r*\ncandor: input goes to frank")
    machine.send("more")
    machine.absent("\x1b", 0.3)

# SPDX-License-Identifier: MIT
"""Software that nobody here wrote runs in Frank as it does elsewhere: Lua with its own test programs, and dash."""

import subprocess
from pathlib import Path

import pytest

BUILD = Path(__file__).resolve().parent.parent.parent / "build"
BUDGET_S = 60
SIDE_BY_SIDE = True
WAIT_S = 60

# Test programs of Lua's whose output depends on nothing but themselves, and what they read.
LUA_PROGRAMS = [
    ("bisect", "/dev/null"), ("cf", "/dev/null"), ("factorial", "/dev/null"), ("fibfor", "/dev/null"), ("hello", "/dev/null"),
    ("sort", "/dev/null"), ("trace-calls", "/dev/null"), ("xd", "bisect.lua"),
]  # fmt: skip

LUA_AT_WORK = [
    ("lua -e 'for i = 1, 3 do io.write(i, \"\\n\") end'", "1\n2\n3\n"),
    ("lua -e 'error({code = 2})' 2>&1 | head -n 1", "lua: (error object is a table value)\n"),
    ("lua -e 'os.exit(7)'; echo $?", "7\n"),
    ("lua /nothing; echo $?", "lua: cannot open /nothing: No such file or directory\n1\n"),
    ("lua -e 'print(io.open(\"/nothing/x\", \"w\"))'", "nil\t/nothing/x: No such file or directory\t2\n"),
    ("lua -e 'for l in io.popen(\"echo a; echo b\"):lines() do print(l .. l) end'", "aa\nbb\n"),
    ("lua -e 'print(os.execute(\"exit 3\"))'", "nil\texit\t3\n"),
    ("lua -e 'local n = os.tmpname() print(os.rename(n, \"/tmp/y\"), os.remove(\"/tmp/y\"))'", "true\ttrue\n"),
    ("lua -e 'print(#string.rep(\"x\", 1 << 22), math.pi, 7 // 2, 2^53 | 0)'",
     "4194304\t3.1415926535898\t3\t9007199254740992\n"),
    ("echo 'x = {} for i = 1, 2000 do x[i] = i * 7 % 1009 end table.sort(x) print(x[1], x[2000])' | lua -", "0\t1008\n"),
]  # fmt: skip

DASH = [
    ("dash -c 'for i in a b c; do echo $i; done | sort -r'", "c\nb\na\n"),
    ("dash -c 'f() { return 3; }; f; echo $?; (exit 4); echo $?; false || echo or'", "3\n4\nor\n"),
    ("dash -c 'x=abcabc; echo ${x#*b} ${x%%b*} $((6 * 7)) ${#x}'", "cabc a 42 6\n"),
    ("dash -c 'case foo.c in *.[ch]) echo C;; *) echo no;; esac; echo /etc/m*'", "C\n/etc/motd\n"),
    ("dash -c 'echo out; echo err >&2' 2> /tmp/err; cat /tmp/err", "out\nerr\n"),
    ("dash -c 'exec 5> /tmp/five; echo five >&5; exec 5>&-; cat /tmp/five; echo x >&5'; echo $?",
     "five\ndash: 1: 5: Bad file number\n2\n"),
    ("dash -c 'trap \"echo bye\" EXIT; kill -TERM $$; echo no'; echo $?", "Terminated\n143\n"),
    ("dash -c 'trap \"echo got\" TERM; kill -TERM $$; echo on'", "got\non\n"),
    ("dash -c 'sleep 100 & kill $!; wait $!; echo $?'", "Terminated\n143\n"),
    ("dash -c 'i=0; while [ $i -lt 40 ]; do echo $i > /tmp/d$i & i=$((i + 1)); done; wait; cat /tmp/d* | sort -n | tail -n 1'", "39\n"),
    ("dash -c 'umask 077; : > /tmp/m; umask; [ -s /tmp/m ] || echo empty; cd /tmp && pwd'", "0077\nempty\n/tmp\n"),
    ("dash -c 'ls /bin | while read -r x; do [ $x = ls ] && echo found $x; done'", "found ls\n"),
]  # fmt: skip


@pytest.fixture
def at_dash(frank):
    """at_dash(): Frank with dash at its terminal, in each column."""

    def start_dash():
        machine = frank()
        machine.type_line("dash -i")
        machine.expect("# ")
        machine.type_line("PS1='dash''$ '")
        machine.prompt()
        return machine

    return start_dash


def check_all(machine, cases):
    for typed, printed in cases:
        assert machine.shell(typed, timeout=WAIT_S) == printed, typed


def elsewhere(program, reads):
    """What the same Lua prints on the machine that built it."""
    folder = BUILD / "foreign" / "lua5.1" / "test"
    with open(folder / reads, "rb") as text:
        done = subprocess.run(
            [BUILD / "tools" / "lua", program], cwd=folder, stdin=text, capture_output=True, text=True, timeout=WAIT_S, check=True,
        )  # fmt: skip
    return done.stdout


def test_lua_runs_its_own_test_programs(at_dash):
    machine = at_dash()
    machine.shell("cd /usr/share/lua")
    for name, reads in LUA_PROGRAMS:
        assert machine.shell(f"lua {name}.lua < {reads}", timeout=WAIT_S) == elsewhere(f"{name}.lua", reads), name


def test_lua_uses_files_processes_and_memory(at_dash):
    check_all(at_dash(), LUA_AT_WORK)


def test_lua_works_at_a_prompt(native):
    machine = native()
    machine.prompt()
    machine.type_line("lua")
    machine.expect(r"PUC-Rio\r*\n> ")
    machine.type_line("x = 6")
    machine.expect(r"> ")
    machine.type_line("x * 7")
    machine.expect(r"42\r*\n> ")
    machine.send("\x04")
    machine.prompt()


def test_dash_drives_processes_and_files(at_dash):
    check_all(at_dash(), DASH)


def test_dash_controls_jobs(native):
    machine = native()
    machine.prompt()
    machine.type_line("dash -i")
    machine.expect("# ")
    machine.type_line("cat")
    machine.expect(r"cat\r*\n")
    machine.type_line("in front")
    machine.expect(r"in front\r*\nin front\r*\n")
    machine.send("\x1a")
    machine.expect(r"Stopped.*cat\r*\n# ")
    machine.type_line("jobs")
    machine.expect(r"\[1\] \+ .*Stopped.*cat\r*\n# ")
    machine.type_line("fg")
    machine.expect(r"cat\r*\n")
    machine.type_line("again")
    machine.expect(r"again\r*\nagain\r*\n")
    machine.send("\x03")
    machine.expect(r"# ")
    machine.type_line("sleep 1000 &")
    machine.expect(r"# ")
    machine.type_line("kill %1; wait; echo ended $?")
    machine.expect(r"ended 0\r*\n(.*Terminated +sleep 1000\r*\n)?# ")

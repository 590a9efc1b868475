# SPDX-License-Identifier: MIT
"""Frank's shell: scripts with what they print and how they end; errors and nonsense, after which it goes on; jobs and the line
editor as somebody types them."""

import re

import pytest

BUDGET_S = 60
SIDE_BY_SIDE = True

# (the words of a script, what it prints, standard error included, its status), each in a shell of its own.
LANGUAGE = [
    ("x=5; echo $x ${x}y \"a $x\" '$x' \\$x", "5 5y a 5 $x $x\n", 0),
    ("echo ${u:-w} ${u-w} ${u:+w}. ${#u}; : ${u:=set}; echo $u ${u:+w} ${#u}", "w w . 0\nset w 3\n", 0),
    ("p=/a/b/c.tar.gz; echo ${p##*/} ${p#*/} ${p%.*} ${p%%.*}", "c.tar.gz a/b/c.tar.gz /a/b/c.tar /a/b/c\n", 0),
    ('v="a*b"; echo "${v#"a*"}" "${v%\'b\'}"', "b a*\n", 0),
    ("set -- a 'b c' d; echo $# $2; shift; echo \"$*\" $1; for a; do echo \"[$a]\"; done", "3 b c\nb c d b c\n[b c]\n[d]\n", 0),
    ("set -- 1 2 3 4 5 6 7 8 9 10; echo ${10} $10", "10 10\n", 0),
    ('set -- ""; for a in "$@" x"$@"y; do echo "<$a>"; done; shift; for a in "$@"; do echo no; done', "<>\n<xy>\n", 0),
    ("IFS=:; v=a::b:; set -- $v; echo $#; IFS=,; echo \"$*\"", "3\na,,b\n", 0),
    ("echo $(echo nested $(echo deep)) `echo tick \\`echo tock\\``", "nested deep tick tock\n", 0),
    ('echo "$(printf \'a\\nb\\n\\n\')" "$(echo ")")"', "a\nb )\n", 0),
    ("x=3; echo $((1 + 2 * x)) $((x *= 2)) $x $((7 / 2)) $((-7 % 3)) $((1 << 4 | 1)) $((x > 3 ? 010 : 0x10)) $((!5))", "7 6 6 3 -1 17 8 0\n", 0),
    ("echo $((0 && 1 / 0)) $((1 || 1 / 0))", "0 1\n", 0),
    ("if false; then echo a; elif true; then echo b; else echo c; fi", "b\n", 0),
    ("i=0; while [ $i -lt 4 ]; do i=$((i + 1)); [ $i = 2 ] && continue; echo $i; done; until [ $i = 0 ]; do i=$((i - 1)); done; echo $i", "1\n3\n4\n0\n", 0),
    ("for i in 1 2 3; do for j in a b; do [ $j = b ] && continue 2; [ $i = 3 ] && break 2; echo $i$j; done; done", "1a\n2a\n", 0),
    ("for f in a.c b.h '*' c; do case $f in *.c | *.h) echo src;; '*') echo star;; [!a-b]) echo other;; esac; done", "src\nsrc\nstar\nother\n", 0),
    ("f() { echo $1 of $#; return 3; }; f a b; echo $?; g() (exit 4); g; echo $?", "a of 2\n3\n4\n", 0),
    ("f() { local x=2; echo $x; [ $1 = 0 ] || f $(($1 - 1)); }; x=1; f 2; echo $x", "2\n2\n2\n1\n", 0),
    ("(exit 7); echo $?; true && echo and; false || echo or; ! true; echo $?; { echo g; } | cat", "7\nand\nor\n1\ng\n", 0),
    ("x=1 y=2; x=5 sh -c 'echo $x $y.'; export y; sh -c 'echo $x $y.'; unset y; echo ${y-unset}", "5 .\n2.\nunset\n", 0),
    ("cat <<A; cat <<'B'; cat <<-C\nx $((1 + 1)) \\$x $(echo s)\nA\n$x\nB\n\ttab\n\tC\n", "x 2 $x s\n$x\ntab\n", 0),
    ("while read -r a b; do echo \"<$a|$b>\"; done <<E\n one  two three \n c\\d\nE\n", "<one|two three>\n<c\\d|>\n", 0),
    ("cd /tmp; mkdir g; cd g; > b.c; > a.c; > .h; echo * .[a-z]* ?.c [!a]* *.x '*'; set -f; echo *", "a.c b.c .h a.c b.c b.c *.x *\n*\n", 0),
    ("cd /; echo /et*/mot? /e*c /tmp/g/../g/a*", "/etc/motd /etc /tmp/g/../g/a.c\n", 0),
    ("exec 3>/tmp/x; echo three >&3; exec 3>&-; cat /tmp/x; { echo o; echo e >&2; } > /tmp/y 2>&1; cat < /tmp/y", "three\no\ne\n", 0),
    ("echo a > /tmp/c; set -C; echo b > /tmp/c; echo $?; echo c >| /tmp/c; cat /tmp/c", "FILE: 1: /tmp/c: File exists\n1\nc\n", 0),
    ("trap 'echo bye' EXIT; trap 'echo usr' USR1; kill -USR1 $$; echo on; exit 3", "usr\non\nbye\n", 3),
    ("eval 'x=1;' 'echo $x'; echo 'echo dot $1' > /tmp/d; . /tmp/d one; type cd; command -v ls", "1\ndot one\ncd is a builtin\n/bin/ls\n", 0),
    ("printf '%s-%03d|%5s|%-4s|%x %b\\n' a 7 b c 255 'x\\ty' d 8", "a-007|    b|c   |ff x\ty\nd-008|     |    |0 \n", 0),
    ("test 1 -lt 2 -a ! -d /nothing && [ -f /etc/motd ] && echo t; [ ! -d / ]; echo $?; [ '(' = '(' ]; echo $?", "t\n1\n0\n", 0),
    ("while getopts a:b o -a foo -b rest; do echo $o $OPTARG; done; echo $OPTIND", "a foo\nb\n4\n", 0),
    ("set -x; echo a 'b c'", "+ echo a b c\na b c\n", 0),
    ("set -e; if false; then :; fi; false || true; ! true; echo on; false; echo no", "on\n", 1),
    ("(exit 5) & wait $!; echo $?; sleep 1000 & kill $!; wait $!; echo $?", "5\n143\n", 0),
    ("echo a # no\n# nothing\necho b\\\nc; echo ~ \"~\"; echo $0 | sed", "a\nbc\n/ ~\nFILE: 4: sed: not found\n", 127),
    ("umask 27; umask; pwd; cd /tmp; cd /bin; cd -; pwd", "0027\n/\n/tmp\n/tmp\n", 0),
]

# Errors name file and line; most end a script.
ERRORS = [
    ("echo 1\necho 'abc", "1\nFILE: 3: syntax error: no closing ' to the one in line 2\n", 2),
    ("if true; then\necho", "FILE: 3: syntax error: the input ends before the `fi` of the `if` in line 1\n", 2),
    ("echo ${", "FILE: 2: syntax error: no closing } for the ${ to the one in line 1\n", 2),
    ("echo $(", "FILE: 2: syntax error: the input ends too early\n", 2),
    ("fi", "FILE: 1: syntax error near fi\n", 2),
    ("a b ( c", "FILE: 1: syntax error near (\n", 2),
    ("echo >", "FILE: 1: syntax error near the end of the line\n", 2),
    ("echo $((1 +))", "FILE: 1: 1 +: ends too early\n", 2),
    ("echo $((1 / 0)); echo no", "FILE: 1: 1 / 0: division by zero\n", 2),
    ("echo ${x!}; echo no", "FILE: 1: ${x!}: is no parameter\n", 2),
    ("readonly r=1; r=2; echo no", "FILE: 1: r: is read only\n", 2),
    ("set -u; echo $nope; echo no", "FILE: 1: nope: is not set\n", 2),
    ("\n\necho ${nope:?is gone}; echo no", "FILE: 3: nope: is gone\n", 2),
    ("f() { f; }; f; echo no", "FILE: 1: more than 1000 calls within each other\n", 2),
    ("nonesuch; echo $?; /etc; echo $?; /etc/none; echo $?", "FILE: 1: nonesuch: not found\n127\nFILE: 1: /etc: Permission denied\n126\nFILE: 1: /etc/none: No such file or directory\n127\n", 0),
    ("cat < /none; echo $?; echo > /none/x; echo $?; cd /none; echo >&9; echo $?", "FILE: 1: /none: No such file or directory\n1\nFILE: 1: /none/x: No such file or directory\n1\nFILE: 1: cd: /none: No such file or directory\nFILE: 1: 9: Bad file number\n1\n", 0),
    ("[ 1 -eq x ]; echo $?; shift 3; echo $?; kill x; trap : NONE; export 1=2", "FILE: 1: test: x: not a number\n2\nFILE: 1: shift: there are 0 arguments\n1\nFILE: 1: kill: x: not a number\nFILE: 1: trap: NONE: no such signal\nFILE: 1: export: 1=2: not a name\n", 2),
]  # fmt: skip

# Made in Frank by the shell itself, so that no long line goes over the terminal: (how, the last line that is printed).
NONSENSE = [
    ("x='('", "more than 400 within each other"),
    ("x='echo $('", "more than 400 within each other"),
    ("x='{ '", "more than 400 within each other"),
    ("x='echo ${a:-'", "more than 400 within each other"),
    ("x='echo \"$('", "more than 400 within each other"),
    ("x='$(('", "too early|too many|400 within"),
]
PROBE = "x=a; i=0; while [ $i -lt 20 ]; do x=$x$x; i=$((i + 1)); done"  # 1 MiB


def quote(text):
    """A word of the shell; a tab, which would complete a name, is made by printf."""
    return "'" + text.replace("'", "'\\''").replace("\t", "'\"$(printf '\\t')\"'") + "'"


def write_lines(machine, path, text):
    """Writes a file through the shell, a line at a time."""
    for number, line in enumerate(text.split("\n")):
        machine.shell(f"printf '%s\\n' {quote(line)} >{'>' if number else ''} {path}")


def check_scripts(machine, cases):
    for text, printed, status in cases:
        write_lines(machine, "/script", text)
        shown = machine.shell("cd /; sh /script > /out 2>&1; echo $? >> /out; cat /out")
        assert shown == printed.replace("FILE", "/script") + f"{status}\n", text


@pytest.fixture(params=["native", "pv"])
def machine(request, native, candor):
    if request.param == "native":
        started = native()
    else:
        started = candor("image=build/frank-pv.elf,initrd=build/initrd.img,name=frank")
    started.prompt()
    return started


def test_scripts_do_what_sh_says(machine):
    check_scripts(machine, LANGUAGE)


def test_errors_are_told_with_file_and_line(native):
    machine = native()
    machine.prompt()
    check_scripts(machine, ERRORS)


def test_nonsense_and_huge_scripts_do_no_harm(native):
    machine = native()
    machine.prompt()
    for text, told in NONSENSE:
        machine.shell(text + "; i=0; while [ $i -lt 11 ]; do x=$x$x; i=$((i + 1)); done; printf %s \"$x\" > /script")
        assert re.search(told, machine.shell("sh -n /script")), text
    assert machine.shell(PROBE + "; echo ${#x}; echo echo $x > /script; sh /script | wc -c") == "1048576\n1048577\n"
    machine.shell("unset x; i=0; printf 'echo hi' > /script; while [ $i -lt 200 ]; do printf ' >/x' >> /script; i=$((i + 1)); done")
    assert machine.shell("sh /script; cat /x") == "hi\n"
    assert machine.shell("sh /bin/ls; echo $?") == "sh: /bin/ls: Exec format error\n126\n"


def test_without_memory_the_shell_gives_up_the_command_alone(candor):
    machine = candor("image=build/frank-pv.elf,initrd=build/initrd.img,name=frank,mem=32M")
    machine.prompt()
    machine.type_line("x=a; while :; do x=$x$x; done")
    machine.expect(r"sh: out of memory\r*\n")
    machine.prompt()
    assert machine.shell("echo $?; x=; echo fine") == "2\nfine\n"


def test_a_script_runs_by_name_and_from_standard_input(native):
    machine = native()
    machine.prompt()
    machine.shell("cp /bin/true /tmp/a")  # which may be executed, whatever is in it
    write_lines(machine, "/tmp/a", "#!/bin/cat\nx")
    machine.shell("cp /bin/true /tmp/b")
    write_lines(machine, "/tmp/b", "echo $0 $1\nread line\nrest\necho got $line")
    assert machine.shell("/tmp/a; PATH=/bin:/tmp; b one < /etc/motd 2> /dev/null | head -n 1") == "#!/bin/cat\nx\n/tmp/b one\n"
    assert machine.shell("sh -s y < /tmp/b; cat /tmp/b | sh") == "sh y\ngot rest\nsh\ngot rest\n"


def test_jobs_stop_go_on_and_end(native):
    machine = native()
    machine.prompt()
    machine.type_line("cat")
    machine.expect("cat\r*\n")
    machine.type_line("one")
    machine.expect("one\r*\none\r*\n")
    machine.send("\x1a")
    machine.expect(r"\^Z\r*\n\[1\]\+ Stopped +cat\r*\n")
    machine.prompt()
    assert machine.shell("echo $?") == "146\n"
    assert re.fullmatch(r"\[2\] \d+\n", machine.shell("sleep 1000 | sleep 1000 &"))
    assert machine.shell("jobs") == "[1]- Stopped                cat\n[2]+ Running                sleep 1000 | sleep 1000\n"
    machine.type_line("fg %cat")
    machine.expect("cat\r*\ncat\r*\n")
    machine.type_line("two")
    machine.expect("two\r*\ntwo\r*\n")
    machine.send("\x04")
    machine.prompt()
    machine.type_line("fg")
    machine.expect(r"sleep 1000 \| sleep 1000\r*\n")
    machine.send("\x03")
    machine.expect(r"\^C\r*\n")
    machine.prompt()
    assert machine.shell("echo $?; jobs") == "130\n"


def test_background_jobs_are_told_when_they_end(native):
    machine = native()
    machine.prompt()
    machine.type_line("(exit 3) & sleep 1000 & kill $!; wait $!")
    machine.expect(r"\[1\]. Done\(3\) +\(exit 3\)\r*\n")
    machine.prompt()
    assert machine.shell("echo $?") == "143\n"


def test_a_background_job_that_reads_is_stopped(native):
    machine = native()
    machine.prompt()
    machine.type_line("cat &")
    machine.prompt()
    machine.type_line("while ! jobs > /jobs || ! grep Stopped /jobs; do :; done")
    machine.expect(r"\n\[1\]\+ Stopped +cat\r*\n")
    machine.prompt()
    machine.type_line("kill %1; wait %1; jobs; echo $?")
    machine.expect(r"\n0\r*\n")
    machine.prompt()


def test_what_is_typed_ahead_reaches_the_program(native):
    machine = native()
    machine.prompt()
    machine.send("cat\rahead\r\x04echo behind\r")
    machine.expect(r"\nahead\r*\n")
    machine.expect(r"\nbehind\r*\n")
    machine.prompt()


def test_control_c_ends_loops_of_the_shell_itself(native):
    machine = native()
    machine.prompt()
    machine.type_line("while :; do :; done")
    machine.expect("done\r*\n")
    machine.send("\x03")
    machine.prompt()
    assert machine.shell("echo $?") == "130\n"
    machine.type_line("while :; do sleep 1000; done; echo no")
    machine.expect("echo no\r*\n")
    machine.send("\x03")
    machine.prompt()
    assert machine.shell("echo $?") == "130\n"


def test_the_terminal_is_as_before_when_a_program_was_killed(native):
    machine = native()
    machine.prompt()
    machine.shell("(until ps | grep ' top' > /pid; do :; done; read pid rest < /pid; kill -KILL $pid) &")
    machine.type_line("top -d 1000")
    machine.expect(r"Killed \(process")
    machine.prompt()
    machine.type_line("cat")
    machine.expect("cat\r*\n")
    machine.type_line("echoed")
    machine.expect("echoed\r*\nechoed\r*\n")
    machine.send("\x04")
    machine.prompt()


# (keys, what the line prints); QEMU takes a first ^A for itself
EDITS = [
    ("echo bc\x01\x01\x1b[C\x1b[C\x1b[C\x1b[C\x1b[Ca", "abc"),
    ("echo abX\x7fc\x1b[D\x1b[DX\x04", "aXc"),
    ("echo one two\x17\x15\x19three", "one three"),
    ("echo a b\x1b[D\x0b\x05 \x19", "a b"),
    ("echo x\x1b[1~\x1b[4~y", "xy"),
    ("echo h\u00e4\u00f6\x7f\u00fc", "h\u00e4\u00fc"),
    ("echo abc \x1bb\x1bfX\x1b[3~", "abcX"),
]


def test_lines_are_edited(native):
    machine = native()
    machine.prompt()
    for keys, line in EDITS:
        machine.type_line(keys)
        machine.expect(rf"\n{line}\r*\n")
        machine.prompt()


def test_earlier_lines_and_names_come_back(native):
    machine = native()
    machine.prompt()
    machine.shell("echo first")
    machine.shell("echo second")
    machine.type_line("\x1b[A\x1b[A\x1b[B\x1b[A")
    machine.expect(r"\nfirst\r*\n")
    machine.prompt()
    machine.type_line("sec\x12")
    machine.expect(r"\nsecond\r*\n")
    machine.prompt()
    machine.type_line("cat /et\tmo\t")
    machine.expect(r"\nWelcome to Frank")
    machine.prompt()
    machine.type_line("unam\t\x15ech\tdone")
    machine.expect(r"\ndone\r*\n")
    machine.prompt()
    machine.send("mk\t")
    machine.send("\t")
    machine.expect(r"mkdir +mkfs")
    machine.send("\x03")
    machine.prompt()


def test_lines_wider_than_the_screen_can_be_edited(native):
    machine = native()
    machine.prompt()
    long = "x" * 300
    machine.type_line(f"echo {long}b\x1b[Da\x01\x01\x05c | wc -c")
    machine.expect(r"\n *304\r*\n")
    machine.prompt()

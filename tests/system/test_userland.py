# SPDX-License-Identifier: MIT
"""Frank's small programs: what they print, the errors they tell, their exit status. The same in every column."""

import re

BUDGET_S = 60
SIDE_BY_SIDE = True

# (what is typed, what is printed), one after the other in one machine.
FILES = [
    ("mkdir d", ""),
    ("mkdir d; echo $?", "mkdir: d: File exists\n1\n"),
    ("mkdir d/a/b; echo $?", "mkdir: d/a/b: No such file or directory\n1\n"),
    ("mkdir -p d/a/b d/a/b && ls d", "a\n"),
    ("echo one > d/1; mkdir -p d/1; echo $?", "mkdir: d/1: File exists\n1\n"),
    ("mkdir -p d/1/2; echo $?", "mkdir: d/1: File exists\n1\n"),
    ("cp d/1 d/a/b; cat d/a/b/1", "one\n"),
    ("cp d/1 d/1; echo $?; cat d/1", "cp: d/1: Invalid argument\n1\none\n"),
    ("cp d e; echo $?", "cp: d: Is a directory\n1\n"),
    ("cp -r d d/a; echo $?", "cp: d: Invalid argument\n1\n"),
    ("cp -r d e && cat e/a/b/1 && ls e", "one\n1  a\n"),
    ("cp nothing e; echo $?", "cp: nothing: No such file or directory\n1\n"),
    ("cp d/1 d/a nothing; echo $?", "cp: nothing: Not a directory\n1\n"),
    ("ln d/1 d/2 && echo two > d/2 && cat d/1", "two\n"),
    ("ln d/1 d/2; echo $?", "ln: d/2: File exists\n1\n"),
    ("mv d/2 d/3 && ls d", "1  3  a\n"),
    ("mv d/3 d/a && ls d/a", "3  b\n"),
    ("mv nothing d; echo $?", "mv: nothing: No such file or directory\n1\n"),
    ("rmdir d/a; echo $?", "rmdir: d/a: Directory not empty\n1\n"),
    ("rm d; echo $?", "rm: d: Is a directory\n1\n"),
    ("rm d/2; echo $?", "rm: d/2: No such file or directory\n1\n"),
    ("rm -f d/2; echo $?", "0\n"),
    ("rm -r d e && ls -1 / | grep ^[de]$; echo $?", "1\n"),
    ("cp; rm; ln a; echo $?", "usage: cp [-r] FILE... TO\nusage: rm [-rf] FILE...\nusage: ln FILE NAME\n2\n"),
]

TEXT = [
    ("echo 10 b > t; echo 9 a >> t; echo 10 b >> t; echo 1 >> t", ""),
    ("sort t", "1\n10 b\n10 b\n9 a\n"),
    ("sort -n t", "1\n9 a\n10 b\n10 b\n"),
    ("sort -nru t", "10 b\n9 a\n1\n"),
    ("sort < t | uniq", "1\n10 b\n9 a\n"),
    ("sort t | uniq -c", "      1 1\n      2 10 b\n      1 9 a\n"),
    ("sort t | uniq -d; sort t | uniq -u", "10 b\n1\n9 a\n"),
    ("sort nothing; echo $?", "sort: nothing: No such file or directory\n2\n"),
    ("head -n 2 t; head -c 3 t", "10 b\n9 a\n10 "),
    ("head -n 1 t t", "==> t <==\n10 b\n\n==> t <==\n10 b\n"),
    ("tail -n 2 t; cat t | tail -c 3; tail -n 0 t", "10 b\n1\n\n1\n"),
    ("tail -n +3 t; tail -c +13 t", "10 b\n1\nb\n1\n"),
    ("head -n x t; echo $?", "usage: head [-n LINES | -c BYTES] [FILE...]\n2\n"),
    ("head -2 t; tail -1 t; tail -x; echo $?", "10 b\n9 a\n1\ntail: invalid option -- `-x'\n2\n"),
    ("printf 'x:10:b\\ny:9:c\\nz:9:a\\n' > k; sort -t : -k 2 k; sort -t : -k 2,2 -n k; sort -t : -k 3 -r k",
     "x:10:b\nz:9:a\ny:9:c\ny:9:c\nz:9:a\nx:10:b\ny:9:c\nx:10:b\nz:9:a\n"),
    ("printf 'a  3\\nb 20\\nc 1\\n' | sort -nk 2; sort -k 2,1 k; echo $?",
     "c 1\na  3\nb 20\nusage: sort [-nru] [-t CHARACTER] [-k FIRST[,LAST]] [FILE...]\n2\n"),
    ("tail nothing; echo $?", "tail: nothing: No such file or directory\n1\n"),
    ("head -n 1 t | tee u v; cat u v", "10 b\n" * 3),
    ("echo more | tee -a u > /dev/null; cat u", "10 b\nmore\n"),
    ("echo x | tee /nothing/u; echo $?", "tee: /nothing/u: No such file or directory\nx\n1\n"),
]


MORE = [
    ("mkdir -p l/m; touch l/m/y l/z; ls -d l l/m; ls -1R l; ls -1r l", "l\nl/m\nl:\nm\nz\n\nl/m:\ny\nz\nm\n"),
    ("cd l; sleep 0.01; touch z; ls -1t; sleep 0.01; echo > m/new; ls -1t; ls -1rt; cd ..", "z\nm\nm\nz\nz\nm\n"),
    ("echo one > l/1; echo none > l/2; grep -l one l/1 l/2; grep -l ^one l/1 l/2; grep -l x l/1; echo $?; grep -lc o < l/1",
     "l/1\nl/2\nl/1\n1\n(standard input)\n"),
    ("touch a b; ls a b; touch -c c; ls c; echo $?", "a\nb\nls: c: No such file or directory\n1\n"),
    ("echo x > a; touch a; cat a; touch /nothing/a; echo $?", "x\ntouch: /nothing/a: No such file or directory\n1\n"),
    ("seq 3; seq 5 -2 1; seq 1 x; echo $?", "1\n2\n3\n5\n3\n1\nusage: seq [FIRST [STEP]] LAST\n2\n"),
    ("basename /a/b.c .c; basename /; dirname /a/b/; dirname x", "b\n/\n/a\n.\n"),
    ("echo hello > a; echo help > b; cmp a a; echo $?; cmp a b; echo $?", "0\na b differ: byte 4, line 1\n1\n"),
    ("printf hel > b; cmp a b; echo $?; cmp -s a b; echo $?; cmp a nothing; echo $?",
     "cmp: end of b after byte 3\n1\n1\ncmp: nothing: No such file or directory\n2\n"),
    ("echo Hello | tr a-z A-Z; echo aabbc | tr -s ab; echo a1b2 | tr -d 0-9; echo a.b | tr -c 'a-z\\n' _", "HELLO\nabc\nab\na_b\n"),
    ("echo 'a b  c' | tr -s ' ' '\\n'; tr z-a b; echo $?", "a\nb\nc\nusage: tr [-cds] SET [SET]\n2\n"),
    ("echo a:b:c:d | cut -d : -f 2,4; echo a:b:c:d | cut -d : -f 2-; echo abcdef | cut -c -2,5", "b:d\nb:c:d\nabe\n"),
    ("echo none | cut -f 1 -d :; echo none | cut -s -f 1 -d :; cut -f 0; echo $?",
     "none\nusage: cut -c LIST [FILE...] | cut -f LIST [-d CHARACTER] [-s] [FILE...]\n2\n"),
    ("printf 'AB\\001' | hexdump", "00000000  41 42 01                                          |AB.|\n00000003\n"),
    ("hexdump -n 64 /dev/zero", "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n00000040\n"),
    ("printf 0123456789 | hexdump -s 8", "00000008  38 39                                             |89|\n0000000a\n"),
    ("mkdir -p t/u; echo > t/u/x.c; find t; find t -name '*.c' -type f; find t -type d; find nothing; echo $?",
     "t\nt/u\nt/u/x.c\nt/u/x.c\nt\nt/u\nfind: nothing: No such file or directory\n1\n"),
    ("find / -type c", "/dev/console\n/dev/null\n/dev/zero\n"),
    ("seq 5 | xargs -n 2 echo x; echo \"a 'b c' d\" | xargs; echo | xargs", "x 1 2\nx 3 4\nx 5\na b c d\n"),
    ("echo x | xargs nonesuch; echo $?; echo x | xargs false; echo $?", "xargs: nonesuch: No such file or directory\n127\n123\n"),
    ("env -i A=1 B=2 env; env -i A=1 sh -c 'echo $A'; env nonesuch; echo $?", "A=1\nB=2\n1\nenv: nonesuch: No such file or directory\n127\n"),
    ("uname; uname -sm; uname -x; echo $?", "Frank\nFrank riscv64\nuname: invalid option -- `-x'\n2\n"),
    ("time sh -c 'exit 3' 2> t/time; echo $?; cut -d ' ' -f 1 t/time; time nonesuch 2> /dev/null; echo $?", "3\nreal\nuser\nsys\n127\n"),
]  # fmt: skip


def check_all(machine, cases):
    for typed, printed in cases:
        assert machine.shell(typed) == printed, typed


def test_files_and_directories_are_made_copied_moved_and_removed(frank):
    check_all(frank(), FILES)


def test_lines_are_sorted_counted_and_cut(frank):
    check_all(frank(), TEXT)


def test_further_programs_do_what_posix_says(frank):
    machine = frank()
    machine.shell("mkdir /tmp/more; cd /tmp/more")
    check_all(machine, MORE)


def test_the_date_is_the_machines_and_files_have_it(frank):
    machine = frank(environment={"QEMUEXTRA": "-rtc base=2026-02-03T04:05:06,clock=vm"})
    assert machine.shell("date '+%a %d %B %Y'; date -u +%F") == "Tue 03 February 2026\n2026-02-03\n"
    machine.shell("echo > /tmp/new; touch /tmp/old")
    assert re.fullmatch(r"-rw-r--r--   1         1 Feb  3 04:0[56] /tmp/new\n", machine.shell("ls -l /tmp/new"))
    assert machine.shell("date -r /tmp/new +%Y-%m-%d") == "2026-02-03\n"
    assert re.fullmatch(r"-r\S+ .* [A-Z][a-z]{2} [ 123]\d  20\d\d /bin/ls\n", machine.shell("ls -l /bin/ls"))
    assert machine.shell("date -r nothing; echo $?") == "date: nothing: No such file or directory\n1\n"
    assert machine.shell("date now; echo $?") == "usage: date [-u] [-r FILE] [+FORMAT]\n2\n"


def test_dmesg_shows_what_the_kernel_has_said(frank):
    machine = frank()
    lines = machine.shell("dmesg").splitlines()
    assert all(re.match(r"\[ *\d+\.\d{6}\] ", line) for line in lines)
    assert [line.split("] ")[1][:9] for line in lines[:2]] == ["Frank on ", "Frank: st"]


def test_tail_shows_what_is_added_later(frank):
    machine = frank()
    machine.shell("wait_for() { until grep -q $1 /tmp/seen; do sleep 0.05; done; }")
    machine.shell("echo first > /tmp/text; tail -f /tmp/text > /tmp/seen &")
    assert machine.shell("wait_for first; echo more >> /tmp/text; wait_for more; cat /tmp/seen") == "first\nmore\n"
    assert machine.shell("kill %1; wait %1; echo $?").endswith("143\n")

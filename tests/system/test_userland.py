# SPDX-License-Identifier: MIT
"""Frank's small programs: what they print, the errors they tell, their exit status. The same in every column."""

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
    ("tail nothing; echo $?", "tail: nothing: No such file or directory\n1\n"),
    ("head -n 1 t | tee u v; cat u v", "10 b\n" * 3),
    ("echo more | tee -a u > /dev/null; cat u", "10 b\nmore\n"),
    ("echo x | tee /nothing/u; echo $?", "tee: /nothing/u: No such file or directory\nx\n1\n"),
]


def check_all(machine, cases):
    for typed, printed in cases:
        assert machine.shell(typed) == printed, typed


def test_files_and_directories_are_made_copied_moved_and_removed(frank):
    check_all(frank(), FILES)


def test_lines_are_sorted_counted_and_cut(frank):
    check_all(frank(), TEXT)

# SPDX-License-Identifier: MIT
"""What a recorded result was made from."""

import subprocess


def described(root):
    """The commit of the tree at `root`; `-dirty` if something but its documents was changed since, `unknown` if it is no checkout."""

    def git(*words):
        return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False).stdout.strip()

    name = git("describe", "--always")
    if not name:
        return "unknown"
    return name + ("-dirty" if git("status", "--porcelain", "-uno", "--", ".", ":!docs") else "")

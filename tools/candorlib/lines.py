# SPDX-License-Identifier: MIT
"""Counts code lines: .c, .h and .S without comments and blank lines."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COUNTED = (".c", ".h", ".S")


def sources():
    run = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in run.stdout.splitlines() if name.endswith(COUNTED) and (ROOT / name).exists()]


def strip_comments(text):
    """Removes comments of C and of assembly."""
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)


def count_lines(names):
    """Returns {name: code lines}: what cloc gives, but for its taking preprocessor lines of assembly as comments."""
    counts = {}
    for name in names:
        text = strip_comments((ROOT / name).read_text(encoding="utf-8"))
        counts[name] = sum(1 for line in text.splitlines() if line.strip())
    return counts


def code_lines(folder):
    """Returns the code lines of all sources below a folder, given from the top."""
    return sum(count_lines([name for name in sources() if name.startswith(folder)]).values())

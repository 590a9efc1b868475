# SPDX-License-Identifier: MIT
"""docs/soak.md: of each part of the soak what it did when it was last run, whenever that was. A part is a section of the page;
writing one leaves the others as they are."""

import datetime
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from candorlib import commit  # noqa: E402

PAGE = ROOT / "docs/soak.md"
PARTS = {
    "fuzz": "The fuzzers at length, each new input from another seed (`tests/fuzz/run soak`), then the seeded bugs that they must find.",
    "races": "The tests that race, over and over, on machines of 2 and 4 harts (`tests/soak/races.toml` lists them, with the reasons).",
    "differential": "Random privileged programs, each on the bare machine and in unmodified virtual machines of both kinds (`tests/differential/run`).",
    "disk": "Frank's file system: a machine stopped at random points of a long work, mounted and looked at (`tests/host/test_diskfs_stop.c`); damaged disks, mounted and used (`tests/host/test_diskfs_damage.c`).",
    "attacks": "Every attack of `tests/system/attacks.toml` in every condition, and every control register by its number.",
    "vcpus": "Machines of 2, 4 and 8 vCPUs on 1, 2 and 4 harts, with all of Frank's own tests, traps direct and bounced, and unmodified (`tests/system/test_vcpus.py`).",
}
HEAD = """<!-- SPDX-License-Identifier: MIT. Each section is written by `make soak`. -->
# The last soak

What takes too long for `make test`. `make soak` runs all parts; `make soak PARTS="fuzz races differential disk attacks vcpus"` some, with
`CALLS=n` hypercalls for the fuzzers, `TIMES=n` rounds of the races, `PROGRAMS=n` random programs, `STOPS=n` stops of a disk and
`DAMAGE_SECONDS=n` of damaged ones. Each part is recorded by itself, with the commit that it ran on.
"""


def begin():
    """The first lines of a record: on what, and when."""
    return [("commit", f"`{commit.described(ROOT)}`"), ("date", datetime.date.today().isoformat())]


def read():
    """{part: the text of its section} of the page as it is."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    pieces = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {name: body.strip() for name, body in zip(pieces[::2], pieces[1::2])}


def write(part, lines):
    """Puts the table of `lines`, pairs of what and result, in the place of the part's last one."""
    sections = read()
    table = "".join(f"| {what} | {result} |\n" for what, result in lines)
    sections[part] = f"{PARTS[part]}\n\n| what | result |\n| --- | --- |\n{table}".strip()
    never = "It has not been recorded yet."
    text = "".join(f"\n## {name}\n\n{sections.get(name, f'{about} {never}')}\n" for name, about in PARTS.items())
    PAGE.write_text(HEAD + text, encoding="utf-8")

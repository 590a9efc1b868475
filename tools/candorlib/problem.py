# SPDX-License-Identifier: MIT
"""What the launcher says to a person when something that it was given is wrong, and units of memory."""

import re

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


class Problem(Exception):
    """One line for the person at the terminal: the cause, and the cure where there is one."""


def parse_size(text, what):
    """Returns bytes for `64M`, `1G`, `512K`; a bare number counts MiB."""
    match = re.fullmatch(r"([0-9]{1,9})([KMG]?)", text, re.IGNORECASE)
    if not match or int(match[1]) == 0:
        raise Problem(f"{what} '{text}' is not a size such as 64M or 1G")
    return int(match[1]) * {"K": KIB, "": MIB, "M": MIB, "G": GIB}[match[2].upper()]


def show_size(count):
    """Returns `64M` for 64 MiB and so on; bytes where no unit fits."""
    for unit, letter in ((GIB, "G"), (MIB, "M"), (KIB, "K")):
        if count and count % unit == 0:
            return f"{count // unit}{letter}"
    return f"{count} bytes"


def read_file(path, what):
    try:
        with open(path, "rb") as source:
            return source.read()
    except OSError as error:
        raise Problem(f"cannot read {what} {path}: {error.strerror}") from None

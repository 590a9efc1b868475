# SPDX-License-Identifier: MIT
"""What the launcher needs of the hypercall ABI, read from its one definition."""

import functools
import os
import tomllib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@functools.cache
def version():
    with open(os.path.join(ROOT, "hypercall-abi", "abi.toml"), "rb") as definition:
        return tomllib.load(definition)["abi"]["version"]


@functools.cache
def calls():
    """{name: number} of the hypercalls."""
    with open(os.path.join(ROOT, "hypercall-abi", "abi.toml"), "rb") as definition:
        return {call["name"]: call["number"] for call in tomllib.load(definition)["call"]}

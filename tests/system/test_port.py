# SPDX-License-Identifier: MIT
"""What Frank's paravirtual kernel holds of privileged instructions, read from its machine code."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from candorlib import disassembly  # noqa: E402

BUDGET_S = 10
SIDE_BY_SIDE = True


def kernel(platform):
    extension, calls = disassembly.abi_names(ROOT / "hypercall-abi" / "abi.toml")
    return disassembly.functions(ROOT / "build" / f"frank-{platform}.elf", extension, calls)


def forbidden(functions):
    return {
        f"{function.name}: {name}"
        for function in functions.values()
        for name in function.privileged
        if disassembly.not_for_pv(name)
    }


def test_the_pv_kernel_holds_no_instruction_that_would_have_to_be_emulated():
    assert forbidden(kernel("pv")) == set()


@pytest.mark.parametrize("instruction", ["csrw satp", "sfence.vma", "wfi"])
def test_the_check_sees_what_the_native_kernel_holds(instruction):
    assert any(text.endswith(f": {instruction}") for text in forbidden(kernel("native")))


def test_every_hypercall_of_the_pv_kernel_is_known_by_name():
    found = {name for function in kernel("pv").values() for name in function.privileged}
    assert "hypercall pte_set" in found and "hypercall trap_return" in found
    assert "ecall" not in found


def test_the_page_that_shows_the_port_is_up_to_date():
    done = subprocess.run(
        [ROOT / "tools" / "port-page", "--check", ROOT / "build"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

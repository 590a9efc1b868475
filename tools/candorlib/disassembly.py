# SPDX-License-Identifier: MIT
"""What a RISC-V image holds of privileged instructions, read from its disassembly."""

import dataclasses
import re
import subprocess
import tomllib

OBJDUMP = "riscv64-unknown-elf-objdump"
NM = "riscv64-unknown-elf-nm"

FUNCTION = re.compile(r"^[0-9a-f]+ <([^>]+)>:$")
INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\t[0-9a-f ]+\t(\S+)(?:\t(.*))?$")
CALL = re.compile(r"<([\w.]+)>$")
CSR_NAME = re.compile(r"\b(s(?:atp|status|tvec|scratch|epc|cause|tval|ie|ip|timecmp|counteren|envcfg)|time|cycle|instret)\b")
# The registers that Frank's pv kernel may use: none of them traps. Nothing else privileged but sret and ecall.
PV_CSRS = frozenset(
    ("scause", "scounteren", "sepc", "sie", "sip", "sscratch", "sstatus", "stimecmp", "stval", "time")
)


@dataclasses.dataclass
class Function:
    """One function: its privileged instructions in order, and whom it calls."""

    name: str
    privileged: list = dataclasses.field(default_factory=list)
    calls: list = dataclasses.field(default_factory=list)


def abi_names(abi_file):
    """(extension id, {number: name}) of the hypercalls."""
    abi = tomllib.loads(abi_file.read_text())
    return abi["abi"]["extension"], {call["number"]: call["name"] for call in abi["call"]}


class Registers:
    """The constants in registers and in stack slots, as far as straight-line code tells: enough to name an ecall."""

    def __init__(self):
        self.values = {}

    def step(self, mnemonic, operands):
        parts = [part.strip() for part in operands.split(",")]
        target = parts[0] if parts else ""
        try:
            if mnemonic == "li":
                self.values[target] = int(parts[1], 0)
            elif mnemonic == "lui":
                self.values[target] = int(parts[1], 0) << 12
            elif mnemonic in ("add", "addi", "addw", "addiw") and parts[1] in self.values:
                self.values[target] = self.values[parts[1]] + int(parts[2].split()[0], 0)
            elif mnemonic in ("mv", "ld") and parts[1] in self.values:
                self.values[target] = self.values[parts[1]]
            elif mnemonic == "sd" and target in self.values:
                self.values[parts[1]] = self.values[target]
            elif mnemonic == "sd":
                self.values.pop(parts[1], None)
            elif mnemonic not in ("sw", "sh", "sb"):
                self.values.pop(target, None)
        except (ValueError, IndexError):
            self.values.pop(target, None)


def name_ecall(registers, extension, calls):
    """'hypercall pte_set', or 'SBI SRST', or a plain 'ecall' where the registers were not seen."""
    ext, function = registers.get("a7"), registers.get("a6")
    if ext == extension and function in calls:
        return f"hypercall {calls[function]}"
    if ext is not None and ext > 0xFFFF:
        return "SBI " + ext.to_bytes(4, "big").decode("ascii", "replace").strip("\0")
    return "ecall"


def privileged_name(mnemonic, operands, registers, extension, calls):
    """How the page names this instruction, or None where it is an ordinary one."""
    if mnemonic == "ecall":
        return name_ecall(registers, extension, calls)
    if mnemonic in ("sret", "mret", "wfi", "sfence.vma", "sinval.vma", "hfence.vvma", "hfence.gvma"):
        return mnemonic
    if mnemonic.startswith("rd") and mnemonic[2:] in ("time", "cycle", "instret"):
        return mnemonic
    if mnemonic.startswith("csr"):
        match = CSR_NAME.search(operands) or re.search(r"0x[0-9a-f]+", operands)
        return f"{mnemonic} {match[0] if match else operands}"
    return None


def functions(image, extension, calls):
    """{name: Function} of an ELF image."""
    listing = subprocess.run([OBJDUMP, "-d", str(image)], capture_output=True, text=True, check=True).stdout
    found, current, registers = {}, None, Registers()
    for line in listing.splitlines():
        if match := FUNCTION.match(line):
            current = found.setdefault(match[1], Function(match[1]))
            registers = Registers()
        elif (match := INSTRUCTION.match(line)) and current:
            mnemonic, operands = match[1], match[2] or ""
            if name := privileged_name(mnemonic, operands, registers.values, extension, calls):
                current.privileged.append(name)
            if mnemonic in ("jal", "j", "call", "tail") and (target := CALL.search(operands)):
                current.calls.append(target[1].split("+")[0])
            registers.step(mnemonic, operands)
    return found


def defined_in(objects):
    """The functions that these object files define."""
    listing = subprocess.run([NM, "--defined-only", *map(str, objects)], capture_output=True, text=True, check=True).stdout
    return {line.split()[2] for line in listing.splitlines() if len(line.split()) == 3 and line.split()[1] in "tT"}


def reachable(name, found, within, seen=None):
    """Privileged instructions of a function and of those in `within` that it calls, each once, in order."""
    seen = set() if seen is None else seen
    if name in seen or name not in found:
        return []
    seen.add(name)
    result = list(found[name].privileged)
    for callee in found[name].calls:
        if callee in within:
            result += reachable(callee, found, within, seen)
    return list(dict.fromkeys(result))


def not_for_pv(name):
    """Whether a pv kernel must not hold this instruction (as privileged_name gives it)."""
    if name == "sret" or name.startswith(("hypercall ", "SBI ")):
        return False
    return name.removeprefix("rd").split()[-1] not in PV_CSRS

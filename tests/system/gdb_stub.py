# SPDX-License-Identifier: MIT
"""Reads a machine's registers, control registers included, by way of QEMU's stub for gdb (GDB manual, appendix E)."""

import re
import socket
import time

ANSWER_S = 10
QUIET_S = 0.5


class Stub:
    """Stops the machine whose stub listens at `port`; `registers(hart, names)` reads; close() lets it go on."""

    def __init__(self, port):
        deadline = time.monotonic() + ANSWER_S
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, f"nothing listens at port {port}"
                time.sleep(0.1)
        self._settle()
        self._input = self._socket.makefile("rb")
        self._numbers = self._control_registers()

    def _settle(self):
        """Connecting stops the machine, which it tells by itself: the answers to what is asked come after that."""
        self._socket.settimeout(QUIET_S)
        try:
            while self._socket.recv(4096):
                self._socket.sendall(b"+")
        except TimeoutError:
            pass
        self._socket.settimeout(ANSWER_S)

    def _ask(self, text):
        packet = text.encode()
        self._socket.sendall(b"$" + packet + b"#%02x" % (sum(packet) & 0xFF))
        while self._input.read(1) != b"$":
            pass
        answer = b""
        while not answer.endswith(b"#"):
            answer += self._input.read(1)
        self._input.read(2)
        self._socket.sendall(b"+")
        return answer[:-1].decode("latin-1")

    def _control_registers(self):
        """{name: number}"""
        self._ask("qSupported:xmlRegisters=riscv")
        self._ask("qXfer:features:read:target.xml:0,fff")
        text, part = "", "m"
        while part.startswith("m"):
            part = self._ask(f"qXfer:features:read:riscv-csr.xml:{len(text):x},fff")
            text += part[1:]
        return {name: int(number) for name, number in re.findall(r'<reg name="(\w+)"[^>]*regnum="(\d+)"', text)}

    def registers(self, hart, names):
        """{name: value} of that hart, counted from 0."""
        answer = self._ask(f"Hgp1.{hart + 1:x}")
        assert answer == "OK", f"hart {hart}: {answer}"
        values = {}
        for name in names:
            answer = self._ask(f"p{self._numbers[name]:x}")
            assert re.fullmatch("[0-9a-f]{16}", answer), f"{name}: {answer}"
            values[name] = int.from_bytes(bytes.fromhex(answer), "little")
        return values

    def close(self):
        self._socket.sendall(b"$D#44")
        self._socket.close()

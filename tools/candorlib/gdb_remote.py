# SPDX-License-Identifier: MIT
"""Just enough of gdb's remote protocol (GDB manual, appendix E) to let a machine in QEMU run from stop to stop."""

import re
import socket
import time


PROGRAM_COUNTER = 32 * 8  # where it stands behind a RISC-V's registers


class Ended(Exception):
    """The machine is gone."""


class Remote:
    """Connects to a QEMU that waits for gdb, at a port of this host or the path of a socket. Threads are harts, counted from 1."""

    def __init__(self, place, patience_s=10):
        deadline = time.monotonic() + patience_s
        family, address = (socket.AF_UNIX, place) if isinstance(place, str) else (socket.AF_INET, ("127.0.0.1", place))
        while True:
            self._socket = socket.socket(family)
            self._socket.settimeout(patience_s)
            try:
                self._socket.connect(address)
                break
            except OSError:
                self._socket.close()
                if time.monotonic() > deadline:
                    raise Ended(f"nobody listens at {place}") from None
                time.sleep(0.02)
        self._buffer, self._places = b"", []

    def send(self, command):
        """Sends a packet and waits until it has been taken."""
        self._write(b"$" + command + b"#%02x" % (sum(command) % 256))
        while b"+" not in self._buffer:
            self._receive()
        self._buffer = self._buffer.partition(b"+")[2]

    def answer(self):
        """The next packet that comes."""
        while not (found := re.search(rb"\$([^#]*)#..", self._buffer)):
            self._receive()
        self._buffer = self._buffer[found.end() :]
        self._write(b"+")
        return found[1]

    def ask(self, command):
        """Sends a packet and returns the answer."""
        self.send(command)
        return self.answer()

    def stop(self):
        """Stops all harts."""
        self._write(b"\x03")
        self.answer()

    def go(self, patience_s=None):
        """Lets all harts run until the machine stops; returns why, as the protocol has it. What stands at a breakpoint is stepped
        over first: QEMU would not leave it."""
        for address in self._places:
            self.ask(b"z1,%x,4" % address)
        if self._places:
            self.ask(b"s")
        for address in self._places:
            self.ask(b"Z1,%x,4" % address)
        self.send(b"c")
        self._socket.settimeout(patience_s)
        why = self.answer()
        if why[:1] in b"WX":
            raise Ended("the machine has ended")
        return why

    def breakpoint(self, address):
        """Stops at each instruction there, whatever that address means when it runs."""
        self.ask(b"Z1,%x,4" % address)
        self._places.append(address)

    def physical(self, on):
        """Memory is read by machine addresses, or by those of whoever runs."""
        self.ask(b"Qqemu.PhyMemMode:%d" % on)

    def program_counter(self):
        """Of the hart that stopped."""
        return int.from_bytes(bytes.fromhex(self.ask(b"g").decode())[PROGRAM_COUNTER:][:8], "little")

    def memory(self, address, size):
        """Bytes; none where there is no memory."""
        answer = self.ask(b"m%x,%x" % (address, size))
        return b"" if answer.startswith(b"E") else bytes.fromhex(answer.decode())

    def close(self):
        self._socket.close()

    def _write(self, data):
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise Ended("the machine has closed the connection") from None

    def _receive(self):
        try:
            data = self._socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Ended("the machine has closed the connection")
        self._buffer += data

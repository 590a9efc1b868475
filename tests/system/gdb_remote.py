# SPDX-License-Identifier: MIT
"""Just enough of gdb's remote protocol to let single harts of a machine run."""

import re
import socket
import time


class Remote:
    """Connects to a QEMU that waits for gdb on `port` of this host. Threads are harts, counted from 1."""

    def __init__(self, port, patience_s=10):
        deadline = time.monotonic() + patience_s
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), timeout=patience_s)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, f"nobody listens at port {port}"
                time.sleep(0.05)
        self._buffer = b""

    def send(self, command):
        """Sends a packet and waits until it has been taken."""
        self._socket.sendall(b"$" + command + b"#%02x" % (sum(command) % 256))
        while b"+" not in self._buffer:
            self._receive()
        self._buffer = self._buffer.partition(b"+")[2]

    def ask(self, command):
        """Sends a packet and returns the answer."""
        self.send(command)
        while not (found := re.search(rb"\$([^#]*)#..", self._buffer)):
            self._receive()
        self._buffer = self._buffer[found.end() :]
        self._socket.sendall(b"+")
        return found[1]

    def stop(self):
        """Stops all harts."""
        self._socket.sendall(b"\x03")
        while not (found := re.search(rb"\$([^#]*)#..", self._buffer)):
            self._receive()
        self._buffer = self._buffer[found.end() :]
        self._socket.sendall(b"+")

    def close(self):
        self._socket.close()

    def _receive(self):
        data = self._socket.recv(4096)
        assert data, "the machine has closed the connection"
        self._buffer += data

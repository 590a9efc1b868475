# SPDX-License-Identifier: MIT
"""A machine under test: QEMU behind a pseudo-terminal. Every wait is bounded; a process is ended by its own id."""

import os
import re
import shlex
import signal
import time
from pathlib import Path

import pexpect

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
LOGS = Path(os.environ.get("CANDOR_LOGS", BUILD / "test-logs"))

# No wait of a test is longer than this unless it says so, and no machine lives longer.
WAIT_S = 20
LIFE_S = 120
SHOWN_BYTES = 3000
PROMPT = r"[A-Za-z0-9_-]+\$ "
CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Machine:
    """Starts `tools/candor WORDS` on a terminal of its own and talks to it.

    With `through`, a list of bytes, its standard input is a pipe into which these go, one each `delay_s`, and
    which then ends.
    """

    def __init__(self, words, log, life_s=LIFE_S, environment=None, through=None, delay_s=1):
        self.log = Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.transcript = ""
        self._file = open(self.log, "w", encoding="utf-8")
        command = ["--foreground", "-k", "5", str(life_s), str(ROOT / "tools/candor"), *map(str, words)]
        if through is not None:
            pieces = "; ".join(f"sleep {delay_s}; printf %s " + shlex.quote(piece.decode()) for piece in through)
            script = f"{{ {pieces}; }} | timeout {shlex.join(command)}"
            command = ["--foreground", "-k", "5", str(life_s), "sh", "-c", script]
        self._file.write("$ timeout " + " ".join(command) + "\n")
        self._child = pexpect.spawn(
            "timeout", command, cwd=str(ROOT), env=dict(os.environ, **(environment or {})),
            encoding="utf-8", codec_errors="replace", timeout=WAIT_S, dimensions=(24, 200),
        )  # fmt: skip
        self._child.logfile_read = self._file
        self._child.delaybeforesend = None

    def expect(self, pattern, timeout=WAIT_S):
        """Waits for the regular expression `pattern`; returns the match. What came before it is in `before`."""
        try:
            self._child.expect(pattern, timeout=timeout)
        except (pexpect.TIMEOUT, pexpect.EOF) as problem:
            self._file.flush()
            shown = self.log.read_text(encoding="utf-8", errors="replace")[-SHOWN_BYTES:]
            what = "the machine ended" if isinstance(problem, pexpect.EOF) else f"{timeout} s passed"
            raise AssertionError(f"{what} without {pattern!r}; the end of {self.log}:\n{shown}") from None
        self.transcript += self._child.before
        if isinstance(self._child.after, str):
            self.transcript += self._child.after
        return self._child.match

    def expect_once(self, pattern, timeout=WAIT_S):
        """Waits for what is printed once, and may have come while something else was awaited."""
        return re.search(pattern, self.transcript) or self.expect(pattern, timeout)

    @property
    def pid(self):
        """The process that was started; QEMU is it or below it."""
        return self._child.pid

    @property
    def before(self):
        """The text between the last two expect()s, without colours and carriage returns."""
        return CONTROL_SEQUENCE.sub("", self._child.before).replace("\r", "")

    def send(self, text):
        """Types `text` as it is."""
        self._child.send(text)

    def type_line(self, text):
        """Types a line and its Enter."""
        self._child.send(text + "\r")

    def prompt(self, timeout=WAIT_S):
        """Waits for the shell's prompt."""
        return self.expect(PROMPT, timeout)

    def shell(self, command, timeout=WAIT_S):
        """Runs a command line at the prompt; returns what it printed, without the echo, up to the next prompt."""
        self.type_line(command)
        self.expect(re.escape(command) + r"\r*\n", timeout)
        self.prompt(timeout)
        return self.before

    def read(self, seconds):
        """Whatever comes until nothing has come for that long, without colours and carriage returns."""
        text = ""
        while True:
            try:
                text += self._child.read_nonblocking(4096, timeout=seconds)
            except (pexpect.TIMEOUT, pexpect.EOF):
                return CONTROL_SEQUENCE.sub("", text).replace("\r", "")

    def absent(self, pattern, seconds):
        """Watches for that long that the machine does not print `pattern`."""
        found = self._child.expect([pattern, pexpect.TIMEOUT, pexpect.EOF], timeout=seconds)
        assert found != 0, f"{pattern!r} came in {self.log}"

    def wait_exit(self, timeout=WAIT_S):
        """Waits until the machine ends by itself; returns the exit status."""
        self.expect(pexpect.EOF, timeout)
        self._child.close()
        return self._child.exitstatus

    def end(self):
        """Ends the process, if it still runs, by its id."""
        if self._child.isalive():
            # timeout passes this on to QEMU, and kills it should it not end.
            self._child.kill(signal.SIGTERM)
            deadline = time.monotonic() + 8
            while self._child.isalive() and time.monotonic() < deadline:
                time.sleep(0.02)
        self._child.close(force=True)
        self._file.close()

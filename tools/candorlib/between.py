# SPDX-License-Identifier: MIT
"""The launcher between QEMU and the terminal: for `--log` and `--ctl`.

QEMU's console is a pair of pipes then. What the machine says goes to the terminal as it is, but for what is meant for programs:
everything from RECORD to the next newline (hypervisor/debug/console_mux.h). A number or '-' is a mark, by which each VM's own
output is told from names and from lines that are shown again, exactly and not by how it looks; a guest cannot write one. Anything
else is a record of the control channel. What is typed goes to the machine, and requests of programs between two keys.
"""

import contextlib
import json
import os
import re
import selectors
import signal
import socket
import stat
import subprocess
import sys
import termios
import time
import tty

from .problem import Problem
from .qemu import child_setup

RECORD, BACKSPACE, NEWLINE, RETURN = 0x1E, 0x08, 0x0A, 0x0D
NOBODY = -1
CANDOR = 0
KEY_PREFIX, KEY_REQUEST = b"\x14", b"\x02"  # Candor's, as in hypervisor/debug/console.h
KEY_ESCAPE = b"\x01"  # Ctrl-A, as under QEMU: Ctrl-A x ends it
CHUNK = 65536
REQUEST_MAX = 80
RECORD_MAX = 1 << 16
CLIENTS_MAX = 16
ANSWER_S = 10
END_S = 5
NO_TEXT = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")  # what Candor moves the cursor by, and the bell


class Splitter:
    """Takes the machine's output apart: calls say(speaker, bytes) and record(bytes); returns what the terminal is to show."""

    def __init__(self, say, record):
        self.say, self.record = say, record
        self.speaker = CANDOR
        self.open = None  # what has come of a mark or record

    def feed(self, data):
        shown = b""
        while data:
            if self.open is not None:
                piece, newline, data = data.partition(b"\n")
                self.open += piece[: RECORD_MAX - len(self.open)]
                if newline:
                    self.close()
                continue
            text, record, data = data.partition(bytes([RECORD]))
            shown += text
            if text and self.speaker != NOBODY:
                self.say(self.speaker, text)
            if record:
                self.open = b""
        return shown

    def close(self):
        text, self.open = self.open.strip(), None
        if text == b"-":
            self.speaker = NOBODY
        elif text.isdigit():
            self.speaker = int(text)
        else:
            self.record(text)


class Log:
    """One file of plain lines: a line is written when it ends, as it stood then, without control characters."""

    def __init__(self, path, more=False):
        self.path = path
        try:
            self.file = open(path, "ab" if more else "wb", buffering=0)
        except OSError as error:
            raise Problem(f"cannot write the log {path}: {error.strerror}") from None
        self.line = bytearray()
        self.returned = False
        self.failed = False

    def write(self, data):
        for byte in data:
            if self.returned and byte not in (NEWLINE, RETURN):
                self.end_line()
            self.returned = byte == RETURN
            if byte == BACKSPACE:
                del self.line[-1:]
            elif byte == NEWLINE or len(self.line) >= CHUNK:
                self.end_line()
            if byte not in (BACKSPACE, RETURN, NEWLINE):
                self.line.append(byte)

    def end_line(self):
        """A disk that is full costs the rest of the log, and one line that says so; not the machine."""
        try:
            self.file.write(NO_TEXT.sub(b"", self.line) + b"\n")
        except OSError as error:
            if not self.failed:
                print(f"\r\ncandor: the log {self.path} is incomplete: {error.strerror}\r", file=sys.stderr)
            self.failed = True
        self.line.clear()

    def close(self):
        if self.line:
            self.end_line()
        self.file.close()


class Logs:
    """A folder with a file for each VM, and candor.log with what Candor says. Records tell the VMs' names; `names` are those
    that are known before, whose files are tried."""

    def __init__(self, folder, names=()):
        self.folder = folder
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise Problem(f"cannot make the log folder {folder}: {error.strerror}") from None
        self.logs = {CANDOR: Log(os.path.join(folder, "candor.log"))}
        for name in names:
            self.try_file(self.path(name))
        self.names = set()  # of all VMs that there have been

    @staticmethod
    def try_file(path):
        """What cannot be written is told before the machine starts; what was not there is not there afterwards."""
        new = not os.path.lexists(path)
        Log(path, more=True).close()
        if new:
            os.unlink(path)

    def path(self, name):
        return os.path.join(self.folder, f"vm-{name}.log")

    def record(self, record):
        place, name = record.get("place"), record.get("name")
        if isinstance(place, int) and isinstance(name, str) and re.fullmatch("[A-Za-z0-9_-]+", name):
            if place in self.logs:
                self.logs.pop(place).close()
            try:
                self.logs[place] = Log(self.path(name), name in self.names)
                self.names.add(name)
            except Problem as problem:
                print(f"candor: {problem}\r", file=sys.stderr)

    def say(self, speaker, data):
        if speaker in self.logs:
            self.logs[speaker].write(data)

    def close(self):
        for log in self.logs.values():
            log.close()


class Keys:
    """What is typed: Ctrl-A x ends the machine, Ctrl-A Ctrl-A sends Ctrl-A. Candor's prefix is held back until the key that
    belongs to it, so that a request never comes between them."""

    def __init__(self, on_terminal):
        self.on_terminal = on_terminal
        self.escaped = False
        self.prefixed = False
        self.ended = False

    def feed(self, data):
        """Returns what the machine gets."""
        out = b""
        for value in data:
            byte = bytes([value])
            if self.escaped:
                self.escaped = False
                self.ended = self.ended or byte == b"x"
                if byte != KEY_ESCAPE:
                    continue
            elif self.on_terminal and byte == KEY_ESCAPE:
                self.escaped = True
                continue
            if self.prefixed:
                out, self.prefixed = out + KEY_PREFIX + byte, False
            elif byte == KEY_PREFIX:
                self.prefixed = True
            else:
                out += byte
        return out


class Control:
    """The socket: a program sends one line, a command of the monitor, and gets one line of JSON:
    {"ok": bool, "error": text, "result": [rows]}. Requests go to the machine one at a time."""

    def __init__(self, path):
        self.path = path
        self.listener = listen(path)
        self.clients = {}  # socket: what it has sent
        self.quiet = {}  # socket of which no command has come: when that has been for too long
        self.waiting = []  # (socket, command)
        self.asked = None  # (socket, rows, deadline) of the one that the machine works on
        self.number = 0

    def has_room(self):
        """Whether another client can be served; while not, those that come wait to be accepted."""
        return len(self.clients) < CLIENTS_MAX

    def accept(self):
        client, _ = self.listener.accept()
        client.setblocking(False)
        self.clients[client] = b""
        self.quiet[client] = time.monotonic() + ANSWER_S
        return client

    def receive(self, client):
        """Takes what a client sends; True when there is nothing more to come from it."""
        try:
            data = client.recv(CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self.clients[client] += data
        line, newline, _ = self.clients[client].partition(b"\n")
        if newline or len(line) > REQUEST_MAX:
            command = line.decode("ascii", "replace").strip()
            if not command or len(command) > REQUEST_MAX or not (command.isascii() and command.isprintable()):
                self.reply(client, {"ok": False, "error": "a command is a line of printable ASCII, at most 80 characters", "result": []})
            else:
                del self.quiet[client]
                self.waiting.append((client, command))
            return True
        if not data:
            self.drop(client)
            return True
        return False

    def request(self, now):
        """Returns the bytes that ask the machine for the next command, or nothing."""
        if self.asked or not self.waiting:
            return b""
        client, command = self.waiting.pop(0)
        self.number = self.number % 0xFFFFFFF + 1
        self.asked = (client, [], now + ANSWER_S)
        return KEY_PREFIX + KEY_REQUEST + f"{self.number} {command}\n".encode()

    def record(self, record):
        """Takes a record of the machine: a row or the end of the answer that it is asked for."""
        if not self.asked or record.get("id") != self.number:
            return
        client, rows, _ = self.asked
        if "row" in record:
            rows.append(record["row"])
        else:
            self.asked = None
            self.reply(client, {"ok": record.get("ok") is True, "error": record.get("error", ""), "result": rows})

    def too_quiet(self, now):
        """The clients of which no command has come in time. They are to be refused, or others might wait for ever."""
        return [client for client, end in self.quiet.items() if now > end]

    def refuse(self, client):
        self.reply(client, {"ok": False, "error": f"no command came for {ANSWER_S} s", "result": []})

    def check_time(self, now):
        if self.asked and now > self.asked[2]:
            client, self.asked = self.asked[0], None
            self.reply(client, {"ok": False, "error": f"the machine has not answered for {ANSWER_S} s", "result": []})

    def reply(self, client, answer):
        # An answer fits into the socket's buffer; a client that does not read loses it, and holds nothing up.
        with contextlib.suppress(OSError):
            client.sendall(json.dumps(answer).encode() + b"\n")
        self.drop(client)

    def drop(self, client):
        self.clients.pop(client, None)
        self.quiet.pop(client, None)
        client.close()

    def close(self):
        for client in [*self.clients]:
            self.reply(client, {"ok": False, "error": "the machine has ended", "result": []})
        self.listener.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)


def listen(path):
    """A socket that only this user can connect to. One that a machine left behind is replaced, a live one is not."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        if os.path.exists(path):
            if not stat.S_ISSOCK(os.stat(path).st_mode):
                raise Problem(f"{path} is no socket, so it is left as it is: give another place with --ctl PATH")
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(path)
                except ConnectionRefusedError:
                    os.unlink(path)
                else:
                    raise Problem(f"another machine has the control socket {path}: give another with --ctl PATH")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        mask = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(mask)
        listener.listen(CLIENTS_MAX)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise Problem(f"cannot make the control socket {path}: {error.strerror or error}") from None
    except Problem:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def raw_terminal():
    """Every key goes to the machine at once; the terminal is as before afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


class Between:
    """The loop: QEMU, the terminal, the socket."""

    def __init__(self, qemu, logs, control, look, look_s):
        self.qemu, self.logs, self.control, self.look, self.look_s = qemu, logs, control, look, look_s
        self.looked = time.monotonic()
        self.keys = Keys(sys.stdin.isatty())
        self.splitter = Splitter(logs.say if logs else lambda *_: None, self.record)
        self.to_machine = b""
        self.selector = selectors.DefaultSelector()
        self.ended = False

    def watch(self, file, call, events=selectors.EVENT_READ):
        self.selector.register(file, events, call)

    def forget(self, file):
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(file)

    def run(self):
        os.set_blocking(self.qemu.stdin.fileno(), False)
        self.watch(self.qemu.stdout, self.output)
        try:
            self.watch(sys.stdin, self.typed)
        except PermissionError:  # a plain file: nothing to wait for
            self.to_machine += self.keys.feed(sys.stdin.buffer.read())
        while not self.ended:
            if self.control:
                self.attend()
            for key, _ in self.selector.select(self.look_s):
                key.data()
            if self.look and time.monotonic() - self.looked >= self.look_s:
                self.looked = time.monotonic()
                self.look()
            if self.keys.ended:
                self.qemu.terminate()
            if self.control:
                self.control.check_time(time.monotonic())
                if not self.keys.prefixed:
                    self.to_machine += self.control.request(time.monotonic())
            self.feed_machine()

    def record(self, text):
        try:
            record = json.loads(text)
        except ValueError:
            return
        for taker in (self.logs, self.control):
            if taker and isinstance(record, dict):
                taker.record(record)

    def output(self):
        data = os.read(self.qemu.stdout.fileno(), CHUNK)
        if not data:
            self.ended = True
            return
        show(self.splitter.feed(data))

    def typed(self):
        data = os.read(sys.stdin.fileno(), CHUNK)
        if not data:
            self.forget(sys.stdin)
        self.to_machine += self.keys.feed(data)

    def attend(self):
        """Waits for another client where there is room for one."""
        for client in self.control.too_quiet(time.monotonic()):
            self.forget(client)
            self.control.refuse(client)
        self.forget(self.control.listener)
        if self.control.has_room():
            self.watch(self.control.listener, self.accept)

    def accept(self):
        client = self.control.accept()
        self.watch(client, lambda: self.received(client))

    def received(self, client):
        number = client.fileno()
        if self.control.receive(client):
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(client if client.fileno() >= 0 else number)

    def feed_machine(self):
        """Gives the machine what it takes now; the rest when there is room."""
        self.forget(self.qemu.stdin)
        while self.to_machine:
            try:
                taken = os.write(self.qemu.stdin.fileno(), self.to_machine)
            except BlockingIOError:
                self.watch(self.qemu.stdin, lambda: None, selectors.EVENT_WRITE)
                return
            except OSError:
                self.to_machine = b""
                return
            self.to_machine = self.to_machine[taken:]


def show(data):
    """Writes all of it to the terminal, which may be slow, or gone."""
    while data:
        try:
            data = data[os.write(sys.stdout.fileno(), data) :]
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            return


def end(process):
    """Ends QEMU if it still runs; returns its exit status."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def run(command, options, look=None, look_s=1):
    """Runs QEMU, whose command has the console on its standard input and output, and returns its exit status. Of `options` are
    `log`, the folder, `ctl`, the socket's path, and `names`, of the VMs. `look` is called every `look_s` seconds meanwhile."""
    control = Control(options.ctl) if options.ctl else None
    logs = None
    try:
        logs = Logs(options.log, options.names) if options.log else None

        def stop(*_):
            raise SystemExit(128 + signal.SIGTERM)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGHUP, stop)
        sys.stdout.flush()
        with raw_terminal():
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, close_fds=False,
                preexec_fn=child_setup, start_new_session=True,
            )  # fmt: skip
            try:
                Between(process, logs, control, look, look_s).run()
            except KeyboardInterrupt:
                pass
            finally:
                status = end(process)
        return status if status >= 0 else 128 - status
    finally:
        if control:
            control.close()
        if logs:
            logs.close()


def ask(path, command):
    """Sends a command to the machine whose control socket is at `path`; returns its answer, decoded."""
    with socket.socket(socket.AF_UNIX) as machine:
        machine.settimeout(2 * ANSWER_S)
        try:
            machine.connect(path)
            machine.sendall(os.fsencode(command) + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                data = machine.recv(CHUNK)
                if not data:
                    raise Problem("the machine has ended")
                answer += data
        except socket.timeout:
            raise Problem(f"the machine at {path} does not answer") from None
        except OSError as error:
            raise Problem(
                f"no machine listens at {path} ({error.strerror or error}): start one with tools/candor run --ctl"
            ) from None
    return json.loads(answer)

# SPDX-License-Identifier: MIT
"""Fixtures of the system tests: machines driven from outside, and the counts for tests/run."""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from machine import LOGS, Machine  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Keeps each phase's report with the test, so that its fixtures know whether it failed."""
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())


def pytest_sessionfinish(session):
    path = os.environ.get("CANDOR_RESULTS")
    if path:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        counts = {key: len(reporter.stats.get(key, [])) for key in ("passed", "failed", "error")}
        result = {"passed": counts["passed"], "failed": counts["failed"] + counts["error"]}
        Path(path).write_text(json.dumps(result))


@pytest.fixture
def start(request):
    """A function that starts a Machine; all that were started are ended with the test.

    The transcripts of a test that failed stay in build/test-logs.
    """
    machines = []

    def start_machine(*words, **options):
        name = request.node.name.replace("/", "_")
        log = LOGS / f"{request.module.__name__}.{name}.{len(machines)}.log"
        machine = Machine(words, log, **options)
        machines.append(machine)
        return machine

    yield start_machine
    for machine in machines:
        machine.end()
    report = getattr(request.node, "report_call", None)
    for machine in machines:
        if report is not None and report.passed:
            machine.log.unlink(missing_ok=True)
        else:
            print(f"transcript: {machine.log}")


@pytest.fixture
def candor(start):
    """candor("image=...,name=a", ...): Candor with these virtual machines.

    CANDOR_SMP=N in the environment runs the tests that do not care on a machine of N harts.
    """

    def start_candor(*vms, options=(), **rest):
        words = ["run"]
        if "--smp" not in options and "--icount" not in options:
            words += ["--smp", os.environ.get("CANDOR_SMP", "1")]
        for vm in vms:
            words += ["--vm", vm]
        return start(*words, *options, **rest)

    return start_candor


@pytest.fixture
def native(start):
    """native(): Frank on the bare machine; `options` are further words for tools/candor native."""

    def start_native(options=(), initrd=True, **rest):
        words = ["native"]
        if initrd:
            words += ["--initrd", "build/initrd.img"]
        return start(*words, *options, **rest)

    return start_native


# How Frank can be run: the columns in which the same tests must pass.
COLUMNS = {
    "native": None,
    "pv": "image=build/frank-pv.elf,initrd=build/initrd.img,name=frank",
    "bounced": "image=build/frank-pv.elf,initrd=build/initrd.img,name=frank,traps=bounced",
    "shadow-s": "image=build/frank-native.elf,initrd=build/initrd.img,name=frank,virt=shadow,depriv=s",
    "shadow-u": "image=build/frank-native.elf,initrd=build/initrd.img,name=frank,virt=shadow,depriv=u",
}


@pytest.fixture(params=COLUMNS)
def frank(request, candor, native):
    """frank(args=""): Frank at its prompt, in each column in turn."""
    vm = COLUMNS[request.param]

    def start_frank(args="", **rest):
        if vm is None:
            machine = native(options=("--args", args) if args else (), **rest)
        else:
            machine = candor(vm + (",args=" + args.replace(",", ",,") if args else ""), **rest)
        machine.prompt()
        return machine

    start_frank.column = request.param
    return start_frank

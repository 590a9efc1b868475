# SPDX-License-Identifier: MIT
"""The comparison: exact, complete, and within what is expected of the paravirtual column."""

import json
import subprocess
from pathlib import Path

import pytest
from candorlib import commit

ROOT = Path(__file__).resolve().parent.parent.parent
BUDGET_S = 90
SIDE_BY_SIDE = True

# Instructions against native, at most. Counted under -icount, so a row either holds or does not.
EXPECTED_RATIO = {
    "null call": 1.004,
    "page fault": 1.20,
    "page fault fresh": 1.20,
    "prot fault": 1.004,
    "protect": 1.20,
    "ctx 2p/0K": 1.25,
    "fork proc": 1.35,
    "exec proc": 1.35,
    "sh proc": 1.35,
}


# The same of an unmodified kernel in S-mode; and for memory that nobody, its kernel neither, has touched.
EXPECTED_UNMODIFIED = {"null call": 1.004, "page fault": 1.755}
EXPECTED_FRESH = 2.2


def compare(folder, *words, extent=("--quick",)):
    return subprocess.run(
        [ROOT / "bench" / "compare", *extent, "--output", folder, *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUDGET_S * 3, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Two boots of each column, which bench/compare holds against each other to the instruction."""
    folder = tmp_path_factory.mktemp("compare")
    done = compare(folder)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "results.json").read_text())


def test_every_row_is_measured_in_every_column(results):
    assert results["columns"] == ["native", "pv", "pv-bounced"]
    assert set(results["rows"]) == set(EXPECTED_RATIO)
    for row in results["rows"].values():
        assert all(row[column]["instructions"] > 0 for column in results["columns"])


@pytest.mark.parametrize("row", EXPECTED_RATIO)
def test_a_row_costs_no_more_than_expected_of_the_paravirtual_kernel(results, row):
    figures = results["rows"][row]
    ratio = figures["pv"]["instructions"] / figures["native"]["instructions"]
    assert ratio <= EXPECTED_RATIO[row], f"{row}: {ratio:.3f}"


def test_a_system_call_enters_candor_only_where_traps_are_bounced(results):
    row = results["rows"]["null call"]
    assert row["pv"]["entries"] == {}
    assert row["pv-bounced"]["entries"]["system call"] >= row["pv-bounced"]["units"]
    assert row["pv-bounced"]["hypercalls"]["trap_return"] >= row["pv-bounced"]["units"]
    assert row["native"]["entries"] == row["native"]["hypercalls"] == {}


def test_a_page_fault_costs_one_hypercall(results):
    row = results["rows"]["page fault"]["pv"]
    assert row["hypercalls"]["pte_set"] == row["units"]


@pytest.fixture(scope="module")
def unmodified(tmp_path_factory):
    """(results, what was printed) of two rows in all columns."""
    folder = tmp_path_factory.mktemp("unmodified")
    done = compare(folder, "--columns", "native,pv,pv-bounced,shadow-s,shadow-u", "--rows", "null call,page fault", "--runs", "1")
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "results.json").read_text()), done.stdout


def test_what_an_unmodified_guest_costs_is_counted_row_by_row(unmodified):
    call, fault = (unmodified[0]["rows"][row] for row in ("null call", "page fault"))
    assert call["shadow-s"]["entries"] == call["shadow-s"]["emulated"] == {}
    units = call["shadow-u"]["units"]
    assert call["shadow-u"]["entries"]["system call"] == units
    # (A timer's interrupt may fall into a row, with the instructions that it is emulated by.)
    assert units <= call["shadow-u"]["emulated"]["sret"] <= units + 2
    assert units * 5 <= call["shadow-u"]["emulated"]["csr"] <= units * 12
    for column in ("shadow-s", "shadow-u"):
        counted = fault[column]
        assert counted["shadows"]["guest-faults"] == counted["units"]
        assert counted["units"] // 2 <= counted["fills"] <= counted["units"] + 5
        assert counted["flushes"] <= 5


def test_the_figures_name_the_commit_as_the_records_do(unmodified):
    assert unmodified[0]["versions"]["commit"] == commit.described(ROOT)


@pytest.mark.parametrize("row", EXPECTED_UNMODIFIED)
def test_a_row_costs_no_more_than_expected_of_the_unmodified_kernel(unmodified, row):
    figures = unmodified[0]["rows"][row]
    ratio = figures["shadow-s"]["instructions"] / figures["native"]["instructions"]
    assert ratio <= EXPECTED_UNMODIFIED[row], f"{row}: {ratio:.3f}"


def test_fresh_memory_costs_an_unmodified_kernel_little_more(tmp_path):
    words = ("--columns", "native,shadow-s", "--rows", "page fault fresh", "--runs", "1")
    done = compare(tmp_path, *words, extent=())
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "results.json").read_text())["rows"]["page fault fresh"]
    ratio = figures["shadow-s"]["instructions"] / figures["native"]["instructions"]
    assert ratio <= EXPECTED_FRESH, f"{ratio:.3f}"


def test_a_table_of_all_columns_is_no_wider_than_a_hundred_characters(unmodified):
    lines = unmodified[1].splitlines()
    ratios = next(i for i, line in enumerate(lines) if line.startswith("ratio to native"))
    assert lines[0].split()[4:] == ["native", "pv", "pv-bounced", "shadow-s", "shadow-u"]
    assert lines[ratios].split()[3:] == ["pv", "pv-bounced", "shadow-s", "shadow-u"]
    assert max(map(len, lines[: ratios + 4])) <= 100 and lines[ratios + 3].startswith("geometric mean")


def test_an_unknown_row_or_column_is_told(tmp_path):
    column = compare(tmp_path, "--columns", "xen")
    assert column.returncode != 0 and "there is no column 'xen'" in column.stderr
    row = compare(tmp_path, "--columns", "native", "--rows", "nonsense")
    assert row.returncode != 0 and "nonsense" in row.stderr

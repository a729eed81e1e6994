"""The page, too, finds each cell of a table that says something else than the entries."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from storage.evidence.export import Exported
from storage.evidence.reports.columns import COLUMNS
from tests.storage import test_browser_verifier, test_forged_cells
from tests.storage.test_browser_verifier import Reader
from tests.storage.test_forged_cells import (
    CELL,
    FORGED,
    UNTOLD,
    Rows,
    by_both,
    exchanged,
    forged,
    renamed,
)
from tests.storage.test_reports import Told, sign_again

pytestmark = pytest.mark.browser
# Fixtures of this file, too.
reader = test_browser_verifier.reader
told, whole = test_forged_cells.told, test_forged_cells.whole


def words_of(reader: Reader) -> str:
    return reader.text(".failures")


@pytest.mark.parametrize("report", COLUMNS)
def test_no_cell_can_say_something_else_than_its_entries(
    told: Told, whole: Exported, tmp_path: Path, reader: Reader, report: str
) -> None:
    silent = []
    for column in COLUMNS[report]:

        def change(rows: Rows, column: str = column) -> None:
            rows[-1][column] = FORGED

        pack = tmp_path / "pack"
        verdict = forged(told, whole, pack, report, change)
        said = reader.verify(pack, keys=told.trail.pin)
        of_cells = [text for _, text in verdict.failures if CELL in text]
        if said != verdict.exit or any(f" as {column}, " not in words_of(reader) for _ in of_cells):
            silent.append(column)

    assert [one for one in silent if (report, one) not in UNTOLD] == []


@pytest.mark.parametrize(
    ("report", "change"),
    [
        ("exceptions", lambda rows: rows.append({**rows[-1], "exception": "late"})),
        ("exceptions", lambda rows: rows.remove(rows[0])),
        ("retention", lambda rows: rows.remove(rows[-1])),
        ("retention", lambda rows: rows[-1].update(due=rows[-1]["ts"])),
    ],
)
def test_a_row_too_many_or_too_few_is_found(
    told: Told,
    whole: Exported,
    tmp_path: Path,
    reader: Reader,
    report: str,
    change: Callable[[Rows], object],
) -> None:
    verdict = forged(told, whole, tmp_path / "pack", report, change)

    assert reader.verify(tmp_path / "pack", keys=told.trail.pin) == verdict.exit == 1
    assert reader.codes() == verdict.codes == {"index-row"}


@pytest.mark.parametrize("change", [renamed, exchanged])
def test_a_table_under_other_headings_is_not_called_verified(
    told: Told,
    whole: Exported,
    tmp_path: Path,
    reader: Reader,
    change: Callable[[Path], None],
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(whole.path, pack)
    change(pack)
    sign_again(told, replace(whole, path=pack))
    verdict = by_both(told, pack)

    assert reader.verify(pack, keys=told.trail.pin) == verdict.exit
    assert "approvals.csv has a column that is not known here: " in reader.text("body")


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (0, None, {}),
        (0, None, {"disclose": "none"}),
        (0, None, {"disclose": "selected", "parts": frozenset({"message"})}),
        (3, None, {}),
        (5, 21, {}),
        (9, 10, {}),
        (7, 7, {}),
    ],
)
def test_what_an_export_wrote_is_never_called_forged(
    told: Told, reader: Reader, start: int, end: int | None, wanted: dict[str, object]
) -> None:
    made = told.export(f"honest-{start}-{end}-{len(wanted)}", start=start, end=end, **wanted)

    assert reader.verify(made.path, keys=told.trail.pin) == 0


def test_a_column_that_stands_twice_is_found(
    told: Told, whole: Exported, tmp_path: Path, reader: Reader
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(whole.path, pack)
    file = pack / "reports/sod.csv"
    head, *rows = file.read_text().splitlines()
    file.write_text("".join(f"{one}\n" for one in (f"{head},request", *(f"{r}," for r in rows))))
    sign_again(told, replace(whole, path=pack))

    assert reader.verify(pack, keys=told.trail.pin) == 1
    assert "reports/sod.csv has a column twice" in words_of(reader)

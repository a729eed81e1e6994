"""Whoever holds the log key can sign a pack whose tables lie; the entries in it say otherwise."""

import csv
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.database import open_database
from storage.evidence.cells import csv_row
from storage.evidence.export import Exported
from storage.evidence.names import report_name
from storage.evidence.reports.columns import COLUMNS
from storage.evidence.shipped.verify import Key, Pack, Verifier
from storage.verify import Report, verify_pack
from tests.storage.packs import by_script
from tests.storage.test_reports import Told, a_life_with_everything, sign_again
from tests.storage.trail import begin_trail

Rows = list[dict[str, str]]
FORGED = "forged"
CELL = ", its entries say "
# The term is the policy's, which no pack holds; the moment that follows from it has to fit.
UNTOLD = {("retention", "term")}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("cells")
    url = str(folder / "interlock.db")
    database = open_database(url)
    trail = begin_trail(url, database, folder / "home")
    yield Told(trail, folder, a_life_with_everything(trail))
    database.close()


@pytest.fixture(scope="module")
def whole(told: Told) -> Exported:
    return told.export("whole")


def forged(
    told: Told, made: Exported, out: Path, report: str, change: Callable[[Rows], object]
) -> Report:
    """Return what is said of a copy of a pack with other rows in a report, signed again.

    The verifier in the pack says the same.
    """
    shutil.copytree(made.path, out, dirs_exist_ok=True)
    file = out / report_name(report)
    with file.open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    columns = list(rows[0])
    change(rows)
    lines = [columns, *([one[name] for name in columns] for one in rows)]
    file.write_text("".join(map(csv_row, lines)))
    sign_again(told, replace(made, path=out))
    return by_both(told, out)


def by_both(told: Told, pack: Path) -> Report:
    """Return what the command says, once the verifier in the pack has said the same."""
    report = verify_pack(pack, [told.trail.pin], now=told.trail.clock, processes=1)
    found = Verifier(Pack(pack), [Key(told.trail.pin)], []).run()
    of_cells = [
        [text for text in map(words, one.failures) if CELL in text] for one in (report, found)
    ]

    assert found.exit == report.exit
    assert {code for code, _ in found.failures} == report.codes
    assert of_cells[0] == of_cells[1]
    return report


def words(failure: tuple[str, str]) -> str:
    return failure[1].removesuffix(".")


@pytest.mark.parametrize("report", COLUMNS)
def test_no_cell_can_say_something_else_than_its_entries(
    told: Told, whole: Exported, tmp_path: Path, report: str
) -> None:
    silent = []
    for column in COLUMNS[report]:
        for number in (0, -1):

            def change(rows: Rows, number: int = number, column: str = column) -> None:
                rows[number][column] = FORGED

            verdict = forged(told, whole, tmp_path / "pack", report, change)
            if (verdict.exit, verdict.codes) != (1, {"index-row"}):
                silent.append((column, number))

    assert [one for one in silent if (report, one[0]) not in UNTOLD] == []


def test_the_row_the_column_and_both_values_are_named(
    told: Told, whole: Exported, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        own = next(one for one in rows if one["overlap"] == "requester")
        own["overlap"] = "none"

    verdict = forged(told, whole, tmp_path / "pack", "sod", change)
    (failure,) = verdict.failures

    assert failure[0] == "index-row"
    assert failure[1].startswith("reports/sod.csv: the row of entry ")
    assert failure[1].endswith("says 'none' as overlap, its entries say 'requester'.")


@pytest.mark.parametrize(
    ("report", "column", "value"),
    [
        ("exceptions", "exception", "self-approval"),
        ("exceptions", "exception", "self-approval-tried"),
        ("exceptions", "exception", "late"),
        ("retention", "event", "oldest-held"),
    ],
)
def test_a_row_that_only_the_whole_run_or_a_payload_asks_for_is_missed(
    told: Told, whole: Exported, tmp_path: Path, report: str, column: str, value: str
) -> None:
    def change(rows: Rows) -> None:
        rows[:] = [one for one in rows if one[column] != value]

    verdict = forged(told, whole, tmp_path / "pack", report, change)

    assert (verdict.exit, verdict.codes) == (1, {"index-row"})
    assert any("does not tell of entry" in text for _, text in verdict.failures)


def test_a_row_that_no_entry_asks_for_is_found(told: Told, whole: Exported, tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows.append({**rows[-1], "exception": "late", "detail": "made up"})

    verdict = forged(told, whole, tmp_path / "pack", "exceptions", change)

    assert (verdict.exit, verdict.codes) == (1, {"index-row"})


def test_a_moment_until_which_something_is_kept_fits_its_term(
    told: Told, whole: Exported, tmp_path: Path
) -> None:
    def change(rows: Rows) -> None:
        oldest = next(one for one in rows if one["event"] == "oldest-held")
        oldest["due"] = oldest["ts"]

    verdict = forged(told, whole, tmp_path / "pack", "retention", change)

    assert (verdict.exit, verdict.codes) == (1, {"index-row"})


def test_a_column_that_stands_twice_is_found(told: Told, whole: Exported, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(whole.path, pack)
    file = pack / report_name("sod")
    head, *rows = file.read_text().splitlines()
    file.write_text(
        "".join(f"{one}\n" for one in (f"{head},overlap", *(f"{r},none" for r in rows)))
    )
    sign_again(told, replace(whole, path=pack))
    verdict = by_both(told, pack)

    assert (verdict.exit, verdict.codes) == (1, {"index-row"})


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (0, None, {"disclose": "none"}),
        (0, None, {"disclose": "selected", "parts": frozenset({"message"})}),
        (3, None, {}),
        (5, 21, {}),
        (9, 10, {}),
        (7, 7, {}),
    ],
)
def test_what_an_export_wrote_is_never_called_forged(
    told: Told, start: int, end: int | None, wanted: dict[str, object]
) -> None:
    made = told.export(f"part-{start}-{end}-{len(wanted)}", start=start, end=end, **wanted)
    verdict = by_both(told, made.path)

    assert (verdict.exit, verdict.failures) == (0, [])


def test_a_quick_look_leaves_the_cells_out(told: Told, whole: Exported, tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows[0]["workflow"] = FORGED

    assert forged(told, whole, tmp_path / "pack", "population", change).exit == 1
    assert verify_pack(tmp_path / "pack", [told.trail.pin], processes=1, quick=True).exit == 0


def renamed(pack: Path) -> None:
    file = pack / report_name("approvals")
    heading, _, rows = file.read_text().partition("\n")
    lines = rows.replace("approved", FORGED)
    file.write_text(f"{heading.replace('decision', 'decided on')}\n{lines}")


def exchanged(pack: Path) -> None:
    shutil.copy(pack / report_name("sod"), pack / report_name("approvals"))


@pytest.mark.parametrize("change", [renamed, exchanged])
def test_a_table_under_other_headings_is_not_called_verified(
    told: Told, whole: Exported, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(whole.path, pack)
    change(pack)
    sign_again(told, replace(whole, path=pack))
    report = by_both(told, pack)
    code, found = by_script(pack, told.trail.pin)

    assert (report.exit, code) in {(3, 3), (1, 1)}
    assert [code for code, _ in report.unproven] == ["columns"]
    assert [code for code, _ in found["unproven"]] == ["columns"]
    assert "approvals.csv has a column that is not known here: " in report.unproven[0][1]


def test_a_table_that_nobody_knows_is_not_called_verified(
    told: Told, whole: Exported, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    shutil.copytree(whole.path, pack)
    rows = (pack / report_name("population")).read_text()
    (pack / report_name("payments")).write_text(rows)
    sign_again(told, replace(whole, path=pack), report_name("payments"))
    code, found = by_script(pack, told.trail.pin)

    assert by_both(told, pack).unproven == [
        ("columns", "reports/payments.csv has a column that is not known here: 'workflow'.")
    ]
    assert (code, [one for one, _ in found["unproven"]]) == (3, ["columns"])

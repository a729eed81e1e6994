"""Puts the reports and the readable page into a pack."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from storage.evidence import names
from storage.evidence.pack import Pack
from storage.evidence.reports.collect import gathered
from storage.evidence.reports.columns import COLUMNS
from storage.evidence.reports.page import About, page


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How many rows each report has, and when the range began and ended, as its entries say."""

    rows: Mapping[str, int]
    period: tuple[str, str] | None


def write_reports(connection: Connection, pack: Pack, about: About) -> Written:
    """Write every report of the range, and the page."""
    contents = about.contents
    with gathered(connection, contents.start, contents.end, about.terms) as reports:
        for report in COLUMNS:
            with pack.file(names.report_name(report)) as out:
                for line in reports.lines(report):
                    out.write(line.encode())
        with pack.file(names.REPORT) as out:
            for piece in page(about, reports):
                out.write(piece.encode())
        rows = {report: reports.tally.rows[report] for report in COLUMNS}
        return Written(rows=rows, period=reports.period)

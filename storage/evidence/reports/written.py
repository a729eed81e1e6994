"""Puts the reports and the readable page into a pack."""

from sqlalchemy import Connection

from storage.evidence import names
from storage.evidence.pack import Pack
from storage.evidence.reports.collect import gathered
from storage.evidence.reports.columns import COLUMNS
from storage.evidence.reports.page import About, page


def write_reports(connection: Connection, pack: Pack, about: About) -> tuple[str, str] | None:
    """Write every report of the range; return when its first and its last entry say they are."""
    with gathered(connection, about.contents.start, about.contents.end) as reports:
        for report in COLUMNS:
            with pack.file(names.report_name(report)) as out:
                for line in reports.lines(report):
                    out.write(line.encode())
        with pack.file(names.PAGE) as out:
            for piece in page(about, reports):
                out.write(piece.encode())
        return reports.period

"""Decide whether the history shown is the history recorded (AUDIT.md section 9).

`verify` streams once over a `Source`, be it a database or a pack, and returns a `Report`.
Integrity alone decides; what the entries say about who did what stands apart.
"""

from storage.verify.database_source import database_source, verify_database
from storage.verify.pack_source import verify_pack
from storage.verify.report import Report
from storage.verify.source import Source
from storage.verify.walk import Options, verify

__all__ = [
    "Options",
    "Report",
    "Source",
    "database_source",
    "verify",
    "verify_database",
    "verify_pack",
]

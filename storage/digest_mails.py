"""Which digests wait to be mailed: taken by one process at a time, marked once they are gone.

A process that dies in between leaves its digest due, so another hands the same one in again.
"""

from datetime import datetime

from storage.change import RowSql


class DigestMailSql(RowSql):
    """The marks, on one transaction."""

    __slots__ = ()

    def take(self, *, now: datetime, again: datetime) -> str | None:
        """Take the oldest digest that is due, for this process alone until `again`."""
        found = self.run(
            "SELECT id FROM digest WHERE mail_due <= ? ORDER BY id LIMIT 1", now
        ).fetchone()
        if found is None:
            return None
        taken = self.run(
            "UPDATE digest SET mail_due = ? WHERE id = ? AND mail_due <= ?", again, found[0], now
        )
        return str(found[0]) if taken.rowcount else None

    def done(self, digest: str) -> None:
        """Note that the mail server took it, or that there is nothing to hand in."""
        self.run("UPDATE digest SET mail_due = NULL WHERE id = ?", digest)

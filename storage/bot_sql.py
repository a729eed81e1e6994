"""The statements for what the bot remembers beside runs: firings, definitions, digests, words."""

import json
from dataclasses import dataclass
from datetime import datetime

from storage.change import RowSql
from workflows.entry import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDigest:
    """The figures of a period, as one digest tells them."""

    id: str
    from_idx: int
    to_idx: int
    from_at: datetime
    to_at: datetime
    figures: Json
    is_mailed: bool = False  # Whether it goes out by mail as well.


class BotSql(RowSql):
    """The statements, on one transaction."""

    __slots__ = ()

    def take_firing(self, schedule: str, due: datetime) -> bool:
        """Take a moment of a schedule; False if it was taken before."""
        taken = self.run(
            "INSERT INTO schedule_firing (schedule, due) VALUES (?, ?) ON CONFLICT DO NOTHING",
            *(schedule, due),
        )
        return bool(taken.rowcount)

    def keep_definition(self, version: str, canonical: str) -> None:
        """Keep the text of a published version."""
        self.run(
            "UPDATE definition_version SET canonical = ? WHERE version = ?", canonical, version
        )

    def keep_policy(self, version: str, canonical: str) -> None:
        """Keep the text of a policy; what was kept of that digest before is put right."""
        self.run(
            "INSERT INTO policy_version (version, canonical) VALUES (?, ?)"
            " ON CONFLICT (version) DO UPDATE SET canonical = excluded.canonical",
            *(version, canonical),
        )

    def hold_policy(self, name: str) -> str | None:
        """Return the policy in force, while no other transaction changes it."""
        if not self._is_sqlite:
            self.later("SELECT pg_advisory_xact_lock(hashtextextended(?, 2))", name)
        found = self.run("SELECT version FROM active_policy WHERE name = ?", name).fetchone()
        return None if found is None else str(found[0])

    def hold_workflow(self, workflow: str) -> str | None:
        """Return the active version, while no other transaction changes it."""
        if not self._is_sqlite:
            self.later("SELECT pg_advisory_xact_lock(hashtextextended(?, 1))", workflow)
        found = self.run(
            "SELECT version FROM active_definition WHERE workflow = ? AND retired_at IS NULL",
            workflow,
        ).fetchone()
        return None if found is None else str(found[0])

    def level_of(self, version: str) -> str | None:
        """Return how far a version is trusted, None where it was never active."""
        found = self.run("SELECT level FROM version_level WHERE version = ?", version).fetchone()
        return None if found is None else str(found[0])

    def is_published(self, version: str) -> bool:
        """Say whether that version was published before."""
        found = self.run("SELECT 1 FROM definition_version WHERE version = ?", version).fetchone()
        return found is not None

    def add_digest(self, digest: NewDigest, *, at: datetime) -> None:
        """Keep the figures of a digest; the same digest again changes nothing."""
        self.run(
            "INSERT INTO digest (id, from_idx, to_idx, from_at, to_at, figures, made_at, mail_due)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            *(digest.id, digest.from_idx, digest.to_idx, digest.from_at, digest.to_at),
            *(json.dumps(digest.figures), at, at if digest.is_mailed else None),
        )

    def keep_thread_message(self, run: str, ts: str, *, author: str, text: str) -> None:
        """Keep a person's message, or its newest wording."""
        self.run(
            "INSERT INTO thread_message (run_id, ts, author, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (run_id, ts) DO UPDATE SET body = excluded.body",
            *(run, ts, author, text),
        )

    def thread_messages(self, run: str) -> list[tuple[str, str, str]]:
        """Return what people wrote in a run's thread: moment, author and words, in order."""
        found = self.run(
            "SELECT ts, author, body FROM thread_message WHERE run_id = ? ORDER BY ts", run
        )
        return [(one[0], one[1], one[2]) for one in found.fetchall()]

    def drop_thread_message(self, run: str, ts: str) -> None:
        """Forget a message."""
        self.run("DELETE FROM thread_message WHERE run_id = ? AND ts = ?", run, ts)

"""Rehearsals on copies of the session's schema, which takes half a second to make."""

from pathlib import Path

import pytest

from bot.rehearsal.ground import Ground


@pytest.fixture(autouse=True)
def _one_schema(sqlite_schema: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ground, "_made", lambda _self: sqlite_schema)

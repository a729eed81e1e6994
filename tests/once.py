"""What is the same in every test of a process, made once: tables, files as read, certificates.

All are what was made the first time. Migrations have tests of their own, which call them
directly, and so does the reading of YAML. httpx reads all certificates of this machine for each
call, over plain HTTP as well, and takes 30 ms and more for that.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import cast

import pytest
from httpx import create_ssl_context
from sqlalchemy import Engine

from storage.migrate import is_empty, upgrade
from workflows.definition_file import Document, read_document

# Databases that were made with the tables of this release.
WITH_TABLES: set[str] = set()
# Where a database of its own is begun.
BEGUN = (
    "storage.log_setup",
    "storage.move_places",
    "bot.rehearsal.ground",
    "bot.workspaces.register",
)


@contextmanager
def made_once(schema: Path) -> Iterator[None]:
    """Begin databases as copies of the tables in `schema`, and read a text once."""
    with pytest.MonkeyPatch.context() as patch:
        for place in BEGUN:
            patch.setattr(f"{place}.upgrade", lambda engine: _filled(engine, schema))
        patch.setattr("workflows.loading.read_document", _read)
        patch.setattr("httpx._transports.default.create_ssl_context", cache(create_ssl_context))
        yield


def _filled(engine: Engine, schema: Path) -> None:
    # A workspace of many has a schema of its own in a database that it shares with others.
    if engine.url.database in WITH_TABLES and "options" not in engine.url.query:
        return
    if engine.dialect.name != "sqlite" or not is_empty(engine):
        upgrade(engine)
        return
    with closing(sqlite3.connect(schema)) as made, engine.connect() as connection:
        made.backup(cast("sqlite3.Connection", connection.connection.dbapi_connection))


def _read(text: str, file: str) -> Document:
    found = _read_once(text)
    # What is wrong with a text names its file.
    return read_document(text, file) if found.faults else replace(found, file=file)


@lru_cache(maxsize=256)
def _read_once(text: str) -> Document:
    return read_document(text, "")

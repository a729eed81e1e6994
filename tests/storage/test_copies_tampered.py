"""Whoever edits what is kept beside the trail is named, where the trail holds its digest."""

import hashlib
import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from storage.retention.person import erase
from storage.store import SqlStore
from storage.verify import Report, verify_database
from tests.conftest import new_database
from tests.storage.full_log import fill, house_at
from tests.world import Clock, World, id_of
from workflows.entry import INTERLOCK, Actor, ActorKind, Draft, Json, Part, PartClass, RunId

STORY = "Nothing was refunde\u0301d; Ana rejected it."
ANCHOR = "size, type, ref, evidence, at"
STORYLESS = "SELECT id FROM run WHERE id NOT IN (SELECT run_id FROM summary) ORDER BY id LIMIT 1"
# Each with what is said of it.
FORGERIES = {
    "a story": ("UPDATE summary SET body = 'Ana approved it.'", "the text is not what was written"),
    "a story of nobody": (
        f"UPDATE summary SET run_id = ({STORYLESS}) WHERE id = (SELECT min(id) FROM summary)",
        "it has no entry",
    ),
    "which entry a story is of": (
        "UPDATE summary SET entry_id = 'b' || substr(entry_id, 2)",
        "it is not of the entry that wrote it last",
    ),
    "no story": ("DELETE FROM summary", "is missing"),
    "a definition": (
        "UPDATE definition_version SET canonical = canonical || ' '",
        "the text is not that of this version",
    ),
    "a policy": (
        "UPDATE policy_version SET canonical = canonical || ' '",
        "the text is not that of this policy",
    ),
    "evidence": (
        "UPDATE audit_anchor SET evidence = substr(evidence, 2)",
        "The log does not name what is kept of the later r for 1 entries",
    ),
    "where evidence is found": ("UPDATE audit_anchor SET ref = 's'", "The log does not name"),
    "no evidence": (
        "DELETE FROM audit_anchor",
        "What the later r gave for 1 entries, as the log says, is not kept",
    ),
    "somebody who acted": (
        "DELETE FROM audit_subject WHERE ref = (SELECT min(requester) FROM run)",
        "is missing, and no erasure can have been theirs",
    ),
    "somebody who is only named": (
        "DELETE FROM audit_subject WHERE ref NOT IN (SELECT actor_ref FROM audit_entry)",
        "is missing, and no erasure can have been theirs",
    ),
    "whose a reason is": (
        "UPDATE audit_part SET subject_ref = NULL WHERE subject_ref IS NOT NULL",
        "The columns of part reason of entry",
    ),
    "evidence twice": (
        f"INSERT INTO audit_anchor (id, {ANCHOR}) SELECT id + 1, {ANCHOR} FROM audit_anchor",
        "The log does not name",
    ),
}


POLICY = "rules: []"


def tell_story(store: SqlStore, run: RunId) -> None:
    part = Part(value=STORY.encode(), cls=PartClass.DERIVED)
    told: dict[str, Json] = {"by_run": run, "method": "extract", "basis": [0]}
    with store.begin() as unit:
        unit.append(
            Draft(kind="summary.written", actor=INTERLOCK, data=told, parts={"summary": part})
        )
        giver = unit.ref(id_of("ana"), "Ana")
        unit.append(
            Draft(
                kind="approval.delegated",
                actor=Actor(kind=ActorKind.USER, ref=giver),
                data={
                    "request": None,
                    "from": giver,
                    "to": None,
                    "until": "2026-03-03T09:00:00.000Z",
                },
                parts={"reason": Part(value=b"a wedding", subject=giver)},
            )
        )
        unit.keep_policy(hashlib.sha256(POLICY.encode()).hexdigest(), POLICY)


@dataclass(frozen=True)
class Kept:
    """A database of which forgers get a copy each."""

    url: str
    server: str = ""

    def after(self, number: int, forgery: str) -> Report:
        """Return what is said of a copy with the forgery in it."""
        copy = f"{self.url}.{number}"
        if self.server:
            template = f"copies_{os.getpid()}"
            copy = new_database(self.server, f"{template}_{number}", template=template)
        else:
            shutil.copy(self.url, copy)
        driver: Any = psycopg.connect(copy) if self.server else sqlite3.connect(copy)
        with closing(driver):
            assert driver.execute(forgery).rowcount > 0
            driver.commit()
        return verified(copy)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("copies")
    if request.param == "sqlite":
        schema = request.getfixturevalue("sqlite_schema")
        made = Kept(str(shutil.copy(schema, folder / "log.db")))
    else:
        schema = request.getfixturevalue("postgres_schema")
        server = request.getfixturevalue("postgres_server")
        made = Kept(new_database(server, f"copies_{os.getpid()}", template=schema), server)
    with house_at(made.url, folder / "home", Clock(), world=World()) as house:
        tell_story(house.store, fill(house).done)
    return made


def verified(url: str) -> Report:
    return verify_database(url, [], tables=True, processes=1)


def test_what_is_kept_is_what_was_signed(kept: Kept) -> None:
    assert verified(kept.url).failures == []


@pytest.mark.parametrize("name", FORGERIES)
def test_a_copy_that_lies_is_named(kept: Kept, name: str) -> None:
    forgery, words = FORGERIES[name]
    told = [text for _code, text in kept.after([*FORGERIES].index(name), forgery).failures]

    assert any(words in one for one in told), told


def test_no_more_people_may_be_gone_than_were_erased(database_url: str, tmp_path: Path) -> None:
    with house_at(database_url, tmp_path / "home", Clock(), world=World()) as house:
        fill(house)
        with house.store.begin() as unit:
            rita, dora = (unit.ref(id_of(one), one.title()) for one in ("rita", "dora"))
        house.settle()
        held = erase(house.store, rita, policy="p", by_run=None)
        gone = erase(house.store, dora, policy="p", by_run=None)
        with house.store.begin() as unit:
            assert unit.ref(id_of("dora"), "Dora") != dora
    honest = verified(database_url)
    driver: Any = (
        psycopg.connect(database_url) if "://" in database_url else sqlite3.connect(database_url)
    )
    with closing(driver):
        driver.execute("DELETE FROM audit_subject")
        driver.commit()
    told = [text for _code, text in verified(database_url).failures]

    assert any(one.is_held for one in held)
    assert not any(one.is_held for one in gone)
    assert honest.failures == []
    names = {ref for one in told for ref in re.findall(r"audit_subject (s:\w+) is missing", one)}
    assert rita in names
    assert dora not in names
    assert any("people are missing; erasures tell of 1 at most" in one for one in told), told


def test_nobody_hides_behind_the_erasure_of_somebody_else(
    database_url: str, tmp_path: Path
) -> None:
    with house_at(database_url, tmp_path / "home", Clock(), world=World()) as house:
        fill(house)
        with house.store.begin() as unit:
            names = ("dora", "rita", "ana")
            dora, rita, ana = (unit.ref(id_of(one), one.title()) for one in names)
            said = Part(value=b"why", subject=ana)
            unit.append(
                Draft(
                    kind="access.read",
                    actor=Actor(kind=ActorKind.USER, ref=ana),
                    data={"what": "audit", "n": 1},
                    parts={"query": said},
                )
            )
        house.settle()
        erase(house.store, dora, policy="p", by_run="f" * 32)
        erase(house.store, rita, policy="p", by_run="e" * 32)  # Whose name stays: a run goes on.
    honest = verified(database_url)
    driver: Any = (
        psycopg.connect(database_url) if "://" in database_url else sqlite3.connect(database_url)
    )
    with closing(driver):
        # What was held in their name goes as well, as far as it is not said to be there.
        driver.execute(f"UPDATE audit_part SET subject_ref = NULL WHERE subject_ref = '{ana}'")
        driver.execute(f"DELETE FROM audit_subject WHERE ref = '{ana}'")
        driver.commit()
    told = [text for _code, text in verified(database_url).failures]

    assert honest.failures == []
    assert any(f"audit_subject {ana} is missing" in one for one in told), told

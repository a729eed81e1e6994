"""A new key is put in place at one moment, wherever the process may die around it."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from storage.access_models import StepTokenRecord
from storage.base import Base
from storage.database import Database
from storage.log_setup import init_log
from storage.master_key import HomeMaster, KeyMaster, Master
from storage.resealing import PLACES, reseal
from storage.sealing import Sealer, open_sealer, wrapped_for, wrapped_keys
from storage.secret_rows import SecretSql, sealed_secret, secret_name
from storage.step_tokens import LONGEST, StepTokens
from storage.step_up_models import StepUpGuardRecord, StepUpRecord
from storage.store import SqlStore
from workflows.entry import SYSTEM, Draft, Json, Ref
from workflows.errors import SecretError
from workflows.step_up import sealed_name

LOG = "interlock.example/audit/T0ABC"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VALUE = b"sesame-sesame-0192"


class DiedError(Exception):
    """Where the process would have ended."""


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SqlStore:
    journal = init_log(database, tmp_path, origin=LOG, now=lambda: NOW)
    return SqlStore(database, journal, now=lambda: NOW)


def sealer_of(store: SqlStore, master: Master) -> Sealer:
    return open_sealer(store.database, log=LOG, master=master, now=NOW)


def told(name: str, version: int) -> Draft:
    data: dict[str, Json] = {"secret": name, "version": version}
    return Draft(kind="secret.rotated", actor=SYSTEM, data=data)


def keep(store: SqlStore, sealer: Sealer) -> None:
    """Keep one secret and the token of one step."""
    data: dict[str, Json] = {"secret": "shop", "version": 1}
    with store.begin() as unit:
        unit.append(Draft(kind="secret.set", actor=SYSTEM, data=data))
        sealed = sealer.seal(VALUE, name=secret_name("shop", 1))
        SecretSql(unit.transaction).put("shop", sealed)
    StepTokens(store.database, lambda: sealer).keep("E1", "xwfp-1", at=NOW)


def opened(store: SqlStore, sealer: Sealer) -> tuple[bytes, str | None]:
    """Return what is kept, as this sealer opens it."""
    version, sealed = sealed_secret(store.database, "shop") or (0, b"")
    value = sealer.open_sealed(sealed, name=secret_name("shop", version))
    return value, StepTokens(store.database, lambda: sealer).find("E1")


def test_everything_opens_under_the_new_keys_and_under_no_old_one(store: SqlStore) -> None:
    old, new = KeyMaster(b"a" * 32), KeyMaster(b"b" * 32)
    keep(store, sealer_of(store, old))
    before = sealed_secret(store.database, "shop")
    count = reseal(store, log=LOG, master=old, following=new, told=told)

    assert count == 2
    assert sealed_secret(store.database, "shop") != before
    assert opened(store, sealer_of(store, new)) == (VALUE, "xwfp-1")
    with pytest.raises(SecretError, match="another master key"):
        sealer_of(store, old)


def test_a_process_that_has_the_old_key_goes_on_and_what_it_seals_is_not_lost(
    store: SqlStore,
) -> None:
    master = KeyMaster(b"a" * 32)
    other = sealer_of(store, master)
    keep(store, other)
    late = other.seal(b"under way", name="late")
    reseal(store, log=LOG, master=master, following=master, told=told)

    assert sealer_of(store, master).open_sealed(late, name="late") == b"under way"
    assert opened(store, other) == (VALUE, "xwfp-1")
    assert sealer_of(store, master).open_sealed(other.seal(b"x", name="n"), name="n") == b"x"


def test_a_process_that_slept_through_two_new_keys_seals_by_the_newest(store: SqlStore) -> None:
    master = KeyMaster(b"a" * 32)
    asleep = sealer_of(store, master)
    for _ in range(2):
        reseal(store, log=LOG, master=master, following=master, told=told)

    assert sealer_of(store, master).open_sealed(asleep.seal(b"x", name="n"), name="n") == b"x"


@pytest.mark.parametrize("dies", ["before", "commit", "rename"])
def test_wherever_it_dies_the_home_opens_the_database(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    keep(store, sealer_of(store, HomeMaster(tmp_path)))
    first = (tmp_path / "keys" / "secrets.key").read_bytes()

    def die(*_: object, **__: object) -> None:
        raise DiedError

    following = HomeMaster(tmp_path).following()
    at: dict[str, tuple[object, str]] = {
        "before": (following, "wrap"),
        "commit": (SecretSql, "set_now"),
        "rename": (os, "replace"),
    }
    monkeypatch.setattr(*at[dies], die)
    with pytest.raises(DiedError):
        reseal(store, log=LOG, master=HomeMaster(tmp_path), following=following, told=told)
    monkeypatch.undo()
    found = opened(store, sealer_of(store, HomeMaster(tmp_path)))

    assert found == (VALUE, "xwfp-1")
    reseal(store, log=LOG, master=HomeMaster(tmp_path), following=HomeMaster(tmp_path), told=told)
    assert opened(store, sealer_of(store, HomeMaster(tmp_path))) == (VALUE, "xwfp-1")
    assert ((tmp_path / "keys" / "secrets.key").read_bytes() == first) is (dies != "rename")
    assert (tmp_path / "keys" / "secrets.key.next").exists() is (dies != "rename")


def test_whoever_tries_again_after_a_crash_loses_nothing(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise DiedError

    keep(store, sealer_of(store, HomeMaster(tmp_path)))
    for name in ("replace", ""):
        following = HomeMaster(tmp_path).following()  # Before anything was opened.
        with monkeypatch.context() as patch, suppress(DiedError):
            if name:
                patch.setattr(os, name, die)
            reseal(store, log=LOG, master=HomeMaster(tmp_path), following=following, told=told)

    assert opened(store, sealer_of(store, HomeMaster(tmp_path))) == (VALUE, "xwfp-1")


def test_a_new_master_key_that_another_thread_has_put_in_force_is_settled(
    store: SqlStore, tmp_path: Path
) -> None:
    keep(store, sealer_of(store, HomeMaster(tmp_path)))
    following = HomeMaster(tmp_path).following()

    class Overtaken(HomeMaster):
        def settle(self) -> None:
            sealer_of(store, HomeMaster(tmp_path))
            super().settle()

    overtaken = Overtaken(tmp_path, is_next=True)
    reseal(store, log=LOG, master=HomeMaster(tmp_path), following=overtaken, told=told)

    assert opened(store, sealer_of(store, following)) == (VALUE, "xwfp-1")


def test_of_two_that_replace_the_key_at_once_the_second_is_refused(store: SqlStore) -> None:
    master = KeyMaster(b"a" * 32)
    keep(store, sealer_of(store, master))

    class Slow(KeyMaster):
        def wrap(self, key: bytes, *, aad: bytes) -> bytes:
            if not done:
                done.append(True)
                reseal(store, log=LOG, master=master, following=master, told=told)
            return super().wrap(key, aad=aad)

    done: list[bool] = []
    with pytest.raises(SecretError, match="Another process"):
        reseal(store, log=LOG, master=master, following=Slow(b"a" * 32), told=told)

    assert opened(store, sealer_of(store, master)) == (VALUE, "xwfp-1")


def test_what_no_key_opens_stays_as_it_is(store: SqlStore) -> None:
    master = KeyMaster(b"a" * 32)
    keep(store, sealer_of(store, master))
    tokens = StepTokens(store.database, lambda: sealer_of(store, master))
    tokens.keep("E2", "xwfp-2", at=NOW)
    tokens.keep("E0", "xwfp-0", at=NOW)
    lost = json.dumps("changed").encode()
    with store.database.begin() as tx:
        tx.connection.execute(
            update(StepTokenRecord).where(StepTokenRecord.execution == "E1").values(sealed=lost)
        )
    count = reseal(store, log=LOG, master=master, following=master, told=told)
    reseal(store, log=LOG, master=master, following=master, told=told)
    with store.database.read() as connection:
        query = select(StepTokenRecord.sealed).where(StepTokenRecord.execution == "E1")
        stays = connection.execute(query).scalar_one()

    assert count == 3
    assert stays == lost
    # Twice replaced, the first key opens nothing any more: all the others were sealed anew.
    assert [tokens.find(one) for one in ("E0", "E2")] == ["xwfp-0", "xwfp-2"]


def test_the_secrets_of_codes_are_sealed_anew_too(store: SqlStore) -> None:
    before, after = KeyMaster(b"a" * 32), KeyMaster(b"b" * 32)
    sealer = sealer_of(store, before)
    kept = {"i1": b"of whose codes count", "i2": b"as it is being set up"}
    sealed = {one: sealer.seal(kept[one], name=sealed_name(Ref("s:1"), one)) for one in kept}
    with store.database.begin() as tx:
        tx.connection.execute(
            insert(StepUpRecord.__table__).values(
                id="i1", person="s:1", asked="e", enrolled_at=NOW, sealed=sealed["i1"]
            )
        )
        tx.connection.execute(
            insert(StepUpGuardRecord.__table__).values(
                person="s:1", last_step=0, misses="[]", offer_id="i2", offer_sealed=sealed["i2"]
            )
        )
    done = reseal(store, log=LOG, master=before, following=after, told=told)
    newest = after.unwrap(wrapped_keys(store.database)[0], aad=wrapped_for(LOG))
    opens = Sealer(lambda: (newest,), LOG)
    with store.database.read() as connection:
        found = {
            "i1": connection.execute(select(StepUpRecord.sealed)).scalar_one(),
            "i2": connection.execute(select(StepUpGuardRecord.offer_sealed)).scalar_one(),
        }

    assert done == 2
    for ident, secret in kept.items():
        assert opens.open_sealed(found[ident], name=sealed_name(Ref("s:1"), ident)) == secret


def test_whatever_lies_sealed_for_a_log_is_sealed_anew() -> None:
    names = ("sealed", "offer_sealed")
    columns = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name in names
    }

    assert {(one.table, one.column) for one in PLACES} == columns


def test_a_database_without_a_key_gets_one_under_the_master_key_that_follows(
    store: SqlStore,
) -> None:
    before, after = KeyMaster(b"a" * 32), KeyMaster(b"b" * 32)
    count = reseal(store, log=LOG, master=before, following=after, told=told)
    keep(store, sealer_of(store, after))

    assert count == 0
    assert opened(store, sealer_of(store, after)) == (VALUE, "xwfp-1")
    with pytest.raises(SecretError, match="another master key"):
        sealer_of(store, before)


def test_the_token_of_a_step_is_kept_until_it_is_over_and_at_most_a_month(store: SqlStore) -> None:
    sealer = sealer_of(store, KeyMaster(b"a" * 32))
    tokens = StepTokens(store.database, lambda: sealer)
    for execution in ("old", "over", "waits"):
        tokens.keep(execution, f"xwfp-{execution}", at=NOW)
    tokens.keep("waits", "xwfp-again", at=NOW + timedelta(days=1))
    tokens.drop("over")
    ended = tokens.find("over")
    at_the_end = NOW + LONGEST
    tokens.keep("new", "xwfp-new", at=at_the_end)
    still = tokens.find("old")
    tokens.keep("new", "xwfp-new", at=at_the_end + timedelta(seconds=1))

    assert ended is None
    assert still == "xwfp-old"
    assert tokens.find("old") is None
    assert [tokens.find(one) for one in ("waits", "new")] == ["xwfp-again", "xwfp-new"]

"""A new key for all that lies sealed in a database, in one transaction.

Everything is opened by the keys there are and sealed by a new one, which the master key wraps;
that may be a new master key too. Before the commit everything opens as before, after it
everything opens under the new keys: there is no moment between.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.change import RowSql
from storage.installations import BOT_TOKEN, LOG, REFRESH_TOKEN
from storage.master_key import KEY_BYTES, Master
from storage.sealing import Sealer, wrapped_for, wrapped_keys
from storage.secret_rows import SecretSql, secret_name
from storage.step_tokens import token_name
from storage.store import SqlStore
from storage.transaction import Database
from workflows.entry import Draft, Ref
from workflows.errors import SecretError
from workflows.step_up import sealed_name


@dataclass(frozen=True, slots=True)
class Place:
    """A column of sealed values: `key` finds a row, `name` is what its value is sealed under."""

    table: str
    column: str
    key: Sequence[str]
    name: Callable[..., str]


def _code_name(person: str, ident: str) -> str:
    return sealed_name(Ref(person), ident)


PLACES = (
    Place("secret", "sealed", ("name", "version"), secret_name),
    Place("step_up", "sealed", ("person", "id"), _code_name),
    Place("step_up_guard", "offer_sealed", ("person", "offer_id"), _code_name),
    Place("step_token", "sealed", ("execution",), token_name),
)


OF_A_HOST = (
    Place("installation", "bot_token", ("id",), lambda ident: f"{ident}/{BOT_TOKEN}"),
    Place("installation", "refresh_token", ("id",), lambda ident: f"{ident}/{REFRESH_TOKEN}"),
)


def reseal(
    store: SqlStore,
    *,
    log: str,
    master: Master,
    following: Master,
    told: Callable[[str, int], Draft],
) -> int:
    """Seal all secrets of a log by a new key, wrapped by `following`; return how many they were.

    `told` makes the entry of one secret and its version. A value that no key opens stays as it
    is: it was lost before.

    Raises:
        SecretError: the master keys cannot be used, or another process was quicker.
        StorageError: nothing was changed.
    """
    change = _new_key(store.database, log=log, master=master, following=following)
    with store.begin() as unit:
        count = change.carry_out(RowSql(unit.transaction), PLACES, at=unit.now)
        for name, version in SecretSql(unit.transaction).set_now():
            unit.append(told(name, version))
    following.settle()
    return count


def reseal_host(database: Database, *, master: Master, following: Master, now: datetime) -> int:
    """Do the same for the tokens of a host's installations, of which no log tells.

    Raises:
        SecretError, StorageError: as `reseal`.
    """
    change = _new_key(database, log=LOG, master=master, following=following)
    with database.begin() as tx:
        count = change.carry_out(RowSql(tx), OF_A_HOST, at=now)
    following.settle()
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A new key, wrapped, and what opens and seals around it."""

    before: tuple[bytes, ...]
    current: bytes
    previous: bytes | None
    old: Sealer
    new: Sealer

    def carry_out(self, sql: RowSql, places: Sequence[Place], *, at: datetime) -> int:
        _replace(sql, self.before, self.current, self.previous, at=at)
        return sum(_sealed_anew(sql, place, self.old, self.new) for place in places)


def _new_key(database: Database, *, log: str, master: Master, following: Master) -> _Change:
    """Return a change of keys; wrapping may ask a service, so it is before the transaction."""
    aad, before = wrapped_for(log), wrapped_keys(database)
    keys = tuple(master.unwrap(one, aad=aad) for one in before)
    fresh = secrets.token_bytes(KEY_BYTES)
    return _Change(
        before=before,
        current=following.wrap(fresh, aad=aad),
        previous=following.wrap(keys[0], aad=aad) if keys else None,
        old=Sealer(lambda: keys, log),
        new=Sealer(lambda: (fresh,), log),
    )


def _replace(
    sql: RowSql, before: tuple[bytes, ...], current: bytes, previous: bytes | None, *, at: datetime
) -> None:
    if not before:
        words = "INSERT INTO sealing_key (id, wrapped, made_at, previous) VALUES (1, ?, ?, ?)"
        sql.run(words, current, at, previous)
        return
    replaced = sql.run(
        "UPDATE sealing_key SET wrapped = ?, previous = ?, made_at = ? WHERE wrapped = ?",
        *(current, previous, at, before[0]),
    )
    if not replaced.rowcount:
        raise SecretError(
            "Another process has just replaced the key.", hint="Look whether that was meant."
        )


def _sealed_anew(sql: RowSql, place: Place, old: Sealer, new: Sealer) -> int:
    count = 0
    for *key, sealed in list(_rows(sql, place)):
        name = place.name(*key)
        try:
            value = old.open_sealed(bytes(sealed), name=name)
        except SecretError:
            continue
        like = " AND ".join(f"{one} = ?" for one in place.key)
        words = f"UPDATE {place.table} SET {place.column} = ? WHERE {like}"  # noqa: S608  our own names
        sql.run(words, new.seal(value, name=name), *key)
        count += 1
    return count


def _rows(sql: RowSql, place: Place) -> Iterator[Sequence[Any]]:
    columns = ", ".join((*place.key, place.column))
    words = f"SELECT {columns} FROM {place.table} WHERE {place.column} IS NOT NULL"  # noqa: S608  our own names
    yield from sql.run(words).fetchall()

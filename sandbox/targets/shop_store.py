"""The shop's own database: orders, refunds, and a log of money that really moved.

The log is apart from the refunds on purpose: nothing keeps it from showing one refund
twice, so that a second effect could be seen.
"""

import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from sandbox.targets.own_database import OwnDatabase, RefusedError

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
  id TEXT PRIMARY KEY, customer TEXT NOT NULL, placed TEXT NOT NULL,
  paid INTEGER NOT NULL, refunded INTEGER NOT NULL CHECK (refunded BETWEEN 0 AND paid));
CREATE TABLE IF NOT EXISTS refunds (
  key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, order_id TEXT NOT NULL REFERENCES orders (id),
  amount INTEGER NOT NULL CHECK (amount > 0), refunded INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS effect_log (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, key TEXT NOT NULL,
  order_id TEXT NOT NULL, amount INTEGER NOT NULL);
"""
ORDERS = 3000
FIRST = 1001
OPENED = date(2025, 1, 1)
SEED = 20250101
Row: TypeAlias = tuple[str, str, str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Money that moved."""

    at: str
    key: str
    order: str
    amount: int


class ShopStore:
    """The shop's database in a folder, filled when it is empty."""

    def __init__(self, folder: Path, *, now: Callable[[], datetime] | None = None) -> None:
        self._own = OwnDatabase(folder / "shop.db", SCHEMA)
        self.path = self._own.path
        self._now = now or (lambda: datetime.now(UTC))
        with self._own.connected() as connection:
            _fill(connection)

    def order(self, name: str) -> dict[str, Any] | None:
        """Return the order, if there is one."""
        with self._own.connected() as connection:
            row = connection.execute("SELECT * FROM orders WHERE id = ?", (name,)).fetchone()
        return dict(row) if row else None

    def refund(self, key: str) -> dict[str, Any] | None:
        """Return the refund made under that idempotency key, if there is one."""
        with self._own.connected() as connection:
            return _refund(connection, key)

    def pay_back(
        self, key: str, order: str, amount: int, *, meanwhile: Callable[[], None] = lambda: None
    ) -> tuple[dict[str, Any], bool]:
        """Refund once per key; return the refund and whether it is new.

        `meanwhile` is called when everything is written and nothing committed.

        Raises:
            RefusedError: no such order, more than was paid, or the key of another refund.
        """
        with self._own.connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            known = _refund(connection, key)
            if known is not None:
                if (known["order"], known["amount"]) != (order, amount):
                    raise RefusedError(409, "This key belongs to another refund.")
                return known, False
            self._write(connection, key, order, amount)
            meanwhile()
            made = _refund(connection, key)
            connection.execute("COMMIT")
        return made or {}, True

    def effects(self, order: str | None = None) -> list[Moved]:
        """Return every movement of money, or those of one order, oldest first."""
        with self._own.connected() as connection:
            rows = connection.execute(
                "SELECT at, key, order_id, amount FROM effect_log"
                " WHERE ? IS NULL OR order_id = ? ORDER BY seq",
                (order, order),
            ).fetchall()
        return [Moved(at=at, key=key, order=which, amount=cents) for at, key, which, cents in rows]

    def _write(self, connection: sqlite3.Connection, key: str, order: str, amount: int) -> None:
        found = connection.execute("SELECT * FROM orders WHERE id = ?", (order,)).fetchone()
        if found is None:
            raise RefusedError(404, f"There is no order {order}.")
        refunded = found["refunded"] + amount
        if refunded > found["paid"]:
            raise RefusedError(409, f"That is more than was paid: {found['paid']}.")
        number = connection.execute("SELECT count(*) FROM refunds").fetchone()[0] + 1
        connection.execute("UPDATE orders SET refunded = ? WHERE id = ?", (refunded, order))
        connection.execute(
            "INSERT INTO refunds (key, id, order_id, amount, refunded) VALUES (?, ?, ?, ?, ?)",
            (key, f"ref_{number:05d}", order, amount, refunded),
        )
        connection.execute(
            "INSERT INTO effect_log (at, key, order_id, amount) VALUES (?, ?, ?, ?)",
            (self._now().isoformat(), key, order, amount),
        )


def seed(folder: Path) -> Path:
    """Fill the shop's database in `folder` unless it is filled, and return its path."""
    return ShopStore(folder).path


def _refund(connection: sqlite3.Connection, key: str) -> dict[str, Any] | None:
    row = connection.execute(
        'SELECT id AS refund, key, order_id AS "order", amount, refunded FROM refunds'
        " WHERE key = ?",
        (key,),
    ).fetchone()
    return dict(row) if row else None


def _fill(connection: sqlite3.Connection) -> None:
    """Write the orders, the same ones every time, unless they are there."""
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("SELECT count(*) FROM orders").fetchone()[0] == 0:
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", _orders())
    connection.execute("COMMIT")


@cache
def _orders() -> Sequence[Row]:
    chance = random.Random(SEED)  # noqa: S311  the same orders every time are the point
    return [_an_order(FIRST + number, chance) for number in range(ORDERS)]


def _an_order(number: int, chance: random.Random) -> Row:
    customer = f"cus_{chance.randrange(900):04d}"
    placed = OPENED + timedelta(days=chance.randrange(330))
    paid = chance.randrange(900, 90_000, 10)
    # The first orders have no history, so that a demo can name them.
    refunded = paid // 4 if number >= FIRST + 20 and chance.random() < 0.05 else 0  # noqa: PLR2004  a share
    return f"ord_{number}", customer, placed.isoformat(), paid, refunded

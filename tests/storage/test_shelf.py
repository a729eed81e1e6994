"""Connections kept at hand in front of their pool."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import Engine, PoolProxiedConnection, QueuePool, create_engine

from storage.shelf import Shelf


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://", poolclass=QueuePool, pool_size=4)
    yield made
    made.dispose()


def lent_by(engine: Engine) -> int:
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def test_the_connection_used_last_is_used_next_and_no_more_than_so_many_are_kept(
    engine: Engine,
) -> None:
    shelf = Shelf(engine.raw_connection, most=2, is_quiet=lambda _: True)
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(shelf.lend())
    kept = lent_by(engine)
    with shelf.lend() as last:
        pass
    with shelf.lend() as again:
        pass
    shelf.clear()

    assert kept == 2
    assert again is last
    assert lent_by(engine) == 0


def test_a_connection_that_is_not_quiet_or_not_alive_is_for_the_pool(engine: Engine) -> None:
    noisy, dead = set[PoolProxiedConnection](), set[PoolProxiedConnection]()
    shelf = Shelf(
        engine.raw_connection,
        most=2,
        is_quiet=lambda one: one not in noisy,
        is_alive=lambda one: one not in dead,
    )
    with suppress(ValueError), shelf.lend() as broken:
        noisy.add(broken)
        raise ValueError
    kept = lent_by(engine)
    with shelf.lend() as first:
        driver = first.driver_connection
    dead.add(first)  # Its server ended it while it lay there.
    with shelf.lend() as second:
        is_another = second.driver_connection is not driver

    assert kept == 0
    assert is_another

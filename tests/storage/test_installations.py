"""Installations of the app: tokens in no file and no table, renewed by one process at a time."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from storage.database import Database, open_database
from storage.installations import Installation, Installations, Tokens
from storage.master_key import KeyMaster
from storage.migrate import upgrade
from storage.oauth_states import MOST, OAuthStates
from storage.sealing import open_sealer
from tests.storage.run_drafts import NOON, HandClock

SECRETS = ("xoxe.xoxb-of-acme", "xoxe-1-of-acme")
SOON = NOON + timedelta(minutes=119)


@pytest.fixture
def tables(database: Database) -> Database:
    upgrade(database.engine)
    return database


@pytest.fixture
def installations(tables: Database, clock: HandClock) -> Installations:
    return of_host(tables, clock)


@pytest.fixture
def other(tables: Database, database_url: str, clock: HandClock) -> Iterator[Installations]:
    """Give the store as another process opens it."""
    opened = open_database(database_url) if tables.dialect != "sqlite" else tables
    yield of_host(opened, clock)
    opened.close()


def of_host(database: Database, clock: HandClock, *, master: bytes = b"m" * 32) -> Installations:
    sealer = open_sealer(database, log="host", master=KeyMaster(master), now=NOON)
    return Installations(database, sealer, now=clock)


def acme(**changed: object) -> Installation:
    tokens = Tokens(bot=SECRETS[0], refresh=SECRETS[1], expires_at=SOON)
    made = Installation(
        id="T0ACME",
        name="Acme",
        app="A0INTERLOCK",
        bot_user="U0BOT",
        scopes=("chat:write", "commands"),
        installed_by="U0IVAN",
        installed_at=NOON,
        tokens=tokens,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def test_an_installation_is_found_as_it_was_stored(installations: Installations) -> None:
    installations.save(acme())
    installations.save(acme(id="E0ORG", tokens=Tokens(bot="xoxb-of-org")))

    assert installations.find("T0ACME") == acme()
    assert [one.id for one in installations.all()] == ["E0ORG", "T0ACME"]
    assert [one.is_org for one in installations.all()] == [True, False]
    assert installations.find("T0GLOBEX") is None


def test_no_table_holds_a_token_in_clear(installations: Installations, tables: Database) -> None:
    installations.save(acme())
    installations.note_trouble("T0ACME", "token_revoked")
    with tables.read() as connection:
        names = inspect(connection).get_table_names()
        rows = [
            str([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row])
            for name in names
            for row in connection.execute(text(f'SELECT * FROM "{name}"'))
        ]

    assert any("T0ACME" in row for row in rows)
    assert not [row for row in rows if any(secret in row for secret in SECRETS)]


def test_no_byte_of_the_file_is_of_a_token(tmp_path: Path, clock: HandClock) -> None:
    database = open_database(str(tmp_path / "installations.db"))
    upgrade(database.engine)
    installations = of_host(database, clock)
    installations.save(acme())
    installations.remove(acme())
    installations.save(acme())
    written = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    database.close()
    written += b"".join(one.read_bytes() for one in tmp_path.iterdir())

    assert b"T0ACME" in written
    assert not [secret for secret in SECRETS if secret.encode() in written]
    assert not [secret for secret in SECRETS if secret[-12:].encode() in written]


def test_a_token_opens_under_no_other_workspace(
    installations: Installations, tables: Database
) -> None:
    installations.save(acme())
    installations.save(acme(id="T0GLOBEX", tokens=Tokens(bot="xoxb-of-globex")))
    with tables.begin() as tx:
        tx.connection.execute(
            text(
                "UPDATE installation SET bot_token ="
                " (SELECT bot_token FROM installation WHERE id = 'T0ACME') WHERE id = 'T0GLOBEX'"
            )
        )
    swapped = installations.find("T0GLOBEX")

    assert swapped is not None
    assert swapped.tokens is None
    assert "cannot be opened" in swapped.trouble
    assert installations.find("T0ACME") == acme()


def test_the_end_of_an_installation_is_not_that_of_a_newer_one(
    installations: Installations, clock: HandClock
) -> None:
    installations.save(acme())
    clock.forward(seconds=5)  # While Slack is asked whether it is over, somebody installs it again.
    again = acme(installed_at=clock(), tokens=Tokens(bot="xoxb-of-the-second"))
    installations.save(again)

    assert not installations.remove(acme())
    assert installations.find("T0ACME") == again


def test_a_removed_installation_has_no_token_and_can_come_back(
    installations: Installations, clock: HandClock, tables: Database
) -> None:
    installations.save(acme())
    clock.forward(hours=1)
    installations.remove(acme())
    removed = installations.find("T0ACME")
    with tables.read() as connection:
        left = connection.execute(text("SELECT bot_token, refresh_token FROM installation")).one()
    installations.save(acme(installed_at=clock()))

    assert removed == acme(tokens=None, removed_at=NOON + timedelta(hours=1))
    assert tuple(left) == (None, None)
    assert installations.find("T0ACME") == acme(installed_at=clock())


def test_a_token_that_lasts_longer_is_not_renewed(installations: Installations) -> None:
    late = Tokens(bot="a", refresh="b", expires_at=NOON + timedelta(minutes=120))
    installations.save(acme(tokens=late))

    assert not late.is_due(NOON)
    assert installations.take_renewal("T0ACME") is None


def test_a_token_that_never_expires_is_not_renewed(installations: Installations) -> None:
    installations.save(acme(tokens=Tokens(bot="xoxb-for-ever")))

    assert installations.take_renewal("T0ACME") is None


def test_two_processes_renew_once(
    installations: Installations, other: Installations, clock: HandClock
) -> None:
    installations.save(acme())
    right = installations.take_renewal("T0ACME")
    assert right is not None
    assert right.tokens == acme().tokens
    assert other.take_renewal("T0ACME") is None

    fresh = Tokens(bot="next", refresh="next", expires_at=clock() + timedelta(hours=12))
    assert installations.renew(right, fresh)
    found = other.find("T0ACME")

    assert found is not None
    assert found.tokens == fresh
    assert other.take_renewal("T0ACME") is None


def test_of_many_at_the_same_instant_one_gets_the_right(
    installations: Installations, other: Installations
) -> None:
    installations.save(acme())
    start = threading.Barrier(8)
    taken: list[object] = []

    def take(store: Installations) -> None:
        start.wait()
        taken.append(store.take_renewal("T0ACME"))

    threads = [threading.Thread(target=take, args=(store,)) for store in (installations, other) * 4]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len([one for one in taken if one is not None]) == 1


def test_the_right_of_a_process_that_died_passes_on(
    installations: Installations, other: Installations, clock: HandClock
) -> None:
    installations.save(acme())
    dead = installations.take_renewal("T0ACME")
    clock.forward(seconds=61)
    right = other.take_renewal("T0ACME")
    assert dead is not None
    assert right is not None

    assert other.renew(right, Tokens(bot="next", refresh="n"))
    assert not installations.renew(dead, Tokens(bot="late", refresh="l"))


def test_what_a_clock_that_ran_ahead_wrote_keeps_nobody_from_renewing(
    installations: Installations, clock: HandClock
) -> None:
    year, half_a_day = 365 * 86_400, timedelta(hours=12)
    clock.forward(seconds=year)
    installations.save(acme(tokens=Tokens(bot="b", refresh="r", expires_at=clock() + half_a_day)))
    lasting = installations.take_renewal("T0ACME")
    clock.forward(seconds=11 * 3_600)
    died_with_it = installations.take_renewal("T0ACME")
    clock.forward(seconds=-year)
    found = installations.find("T0ACME")
    right = installations.take_renewal("T0ACME")

    assert lasting is None
    assert died_with_it is not None
    assert found is not None
    assert found.tokens is not None
    assert found.tokens.is_due(clock())
    assert right is not None
    assert installations.take_renewal("T0ACME") is None


def test_a_right_that_was_given_back_can_be_taken_at_once(
    installations: Installations, other: Installations
) -> None:
    installations.save(acme())
    right = installations.take_renewal("T0ACME")
    assert right is not None
    installations.give_back(right)

    assert other.take_renewal("T0ACME") is not None


def test_a_renewal_never_overwrites_a_new_installation(installations: Installations) -> None:
    installations.save(acme())
    right = installations.take_renewal("T0ACME")
    assert right is not None
    again = acme(tokens=Tokens(bot="of the new installation"))
    installations.save(again)

    assert not installations.renew(right, Tokens(bot="of the old one"))
    assert installations.find("T0ACME") == again


def test_trouble_is_remembered_until_the_tokens_are_new(installations: Installations) -> None:
    installations.save(acme())
    installations.note_trouble("T0ACME", "invalid_refresh_token")
    told = installations.find("T0ACME")
    right = installations.take_renewal("T0ACME")
    assert right is not None
    installations.renew(right, Tokens(bot="next"))
    mended = installations.find("T0ACME")

    assert told is not None
    assert told.trouble == "invalid_refresh_token"
    assert mended is not None
    assert mended.trouble == ""


def test_a_state_is_good_once(tables: Database, clock: HandClock) -> None:
    states = OAuthStates(tables, now=clock)
    state = states.issue()

    assert not states.consume(state + "x")
    assert states.consume(state)
    assert not states.consume(state)


def test_a_state_lasts_ten_minutes(tables: Database, clock: HandClock) -> None:
    states = OAuthStates(tables, now=clock)
    early, late = states.issue(), states.issue()
    clock.forward(seconds=599)
    assert states.consume(early)
    clock.forward(seconds=1)

    assert not states.consume(late)


def test_states_do_not_pile_up(tables: Database, clock: HandClock) -> None:
    states = OAuthStates(tables, now=clock)
    first = states.issue()
    with tables.begin() as tx:
        for number in range(MOST):
            tx.connection.execute(
                text(
                    "INSERT INTO oauth_state (digest, expires_at) SELECT :d, expires_at"
                    " FROM oauth_state LIMIT 1"
                ),
                {"d": f"{number:064}"},
            )
    clock.forward(seconds=1)
    newest = states.issue()
    with tables.read() as connection:
        count = connection.execute(text("SELECT count(*) FROM oauth_state")).scalar_one()

    assert count == MOST
    assert states.consume(newest)
    assert first

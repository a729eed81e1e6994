"""Tokens as stored follow from the entries that tell of them, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from storage.rebuild import check_projections
from storage.store import SqlStore
from storage.tokens import list_tokens, note_use, token_named, token_of
from tests.storage.run_drafts import NOON
from workflows.entry import SYSTEM, Draft
from workflows.errors import StorageError
from workflows.moments import stamp
from workflows.people import PersonId

RITA = PersonId("slack:T0:U0RITA")
DIGEST = "d" * 64


def create(store: SqlStore, name: str = "ci", digest: str = DIGEST) -> None:
    with store.begin() as unit:
        data = {
            "token": name,
            "owner": unit.ref(RITA, "Rita"),
            "workflows": ["refund-customer"],
            "expires": stamp(NOON + timedelta(days=1)),
            "digest": digest,
        }
        unit.append(Draft(kind="token.created", actor=SYSTEM, data=data))


def revoke(store: SqlStore, name: str = "ci") -> None:
    with store.begin() as unit:
        unit.append(Draft(kind="token.revoked", actor=SYSTEM, data={"token": name}))


def test_a_token_is_found_by_its_digest_alone(store: SqlStore) -> None:
    create(store)
    found = token_of(store.database, DIGEST)

    assert found is not None
    assert (found.name, found.owner, found.owner_name) == ("ci", RITA, "Rita")
    assert found.workflows == ("refund-customer",)
    assert token_of(store.database, "e" * 64) is None
    assert not any(DIGEST in str(one) for one in list_tokens(store.database))


def test_a_token_lives_until_it_expires_or_is_revoked(store: SqlStore) -> None:
    create(store)
    found = token_named(store.database, "ci")
    assert found is not None
    assert found.is_live(NOON)
    assert not found.is_live(NOON + timedelta(days=1))
    revoke(store)
    ended = token_named(store.database, "ci")

    assert ended is not None
    assert not ended.is_live(NOON)


def test_a_token_without_an_owner_is_not_live(store: SqlStore) -> None:
    create(store)
    with store.database.begin() as tx:
        tx.connection.execute(text("DELETE FROM audit_subject"))
    found = token_named(store.database, "ci")

    assert found is not None
    assert found.owner is None
    assert not found.is_live(NOON)


def test_a_name_and_a_digest_are_given_once(store: SqlStore) -> None:
    create(store)
    with pytest.raises(StorageError):
        create(store, digest="e" * 64)
    with pytest.raises(StorageError):
        create(store, name="other")

    assert [one.name for one in list_tokens(store.database)] == ["ci"]


def test_a_token_is_revoked_once(store: SqlStore) -> None:
    create(store)
    revoke(store)

    with pytest.raises(StorageError, match="revoked already"):
        revoke(store)
    with pytest.raises(StorageError, match="revoked already"):
        revoke(store, "never-made")


def test_the_table_agrees_with_the_entries_and_a_forged_row_shows(store: SqlStore) -> None:
    create(store)
    create(store, name="other", digest="e" * 64)
    revoke(store)
    note_use(store.database, "other", at=datetime(2026, 3, 3, tzinfo=UTC))
    assert check_projections(store.database) == []
    with store.database.begin() as tx:
        tx.connection.execute(text("UPDATE api_token SET revoked_at = NULL WHERE name = 'ci'"))

    assert [str(one.column) for one in check_projections(store.database)] == ["revoked_at"]


def test_the_last_use_is_remembered(store: SqlStore) -> None:
    create(store)
    note_use(store.database, "ci", at=NOON)
    found = token_named(store.database, "ci")

    assert found is not None
    assert found.last_used_at == NOON

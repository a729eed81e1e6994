"""What is asked of kept secrets, where it is carried out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.secret_orders import SetSecretOrder, set_secret
from bot.secret_sources.folder import FolderSource
from bot.secret_sources.held import HeldSecrets
from storage.sealing import Sealer
from storage.secret_rows import list_secrets
from storage.store import SqlStore
from storage.unit import SqlUnit
from tests.bot.catalog import Office
from workflows.errors import SecretUnreadableError
from workflows.people import PersonId
from workflows.redaction import Redactor


def test_no_key_service_is_asked_while_a_unit_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, begin, asked = Office(tmp_path), SqlStore.begin, []
    units: list[SqlUnit] = []

    @contextmanager
    def begun(store: SqlStore) -> Iterator[SqlUnit]:
        with begin(store) as unit:
            units.append(unit)
            yield unit
            units.pop()

    def read_keys() -> tuple[bytes, ...]:
        asked.append(len(units))
        return (bytes(32),)

    monkeypatch.setattr(SqlStore, "begin", begun)
    core = replace(office.core, vault=lambda: Sealer(read_keys, "interlock.example/audit/T0ABC"))
    order = SetSecretOrder(name="shop", value=SecretStr("sesame-sesame-0192"))
    set_secret(core, order, PersonId("os:rita"))
    kept = list_secrets(core.memory.database)
    core.memory.database.close()

    assert [(one.name, one.version) for one in kept] == [("shop", 1)]
    assert asked
    assert not any(asked)


def test_what_refuses_a_value_refuses_before_it_is_kept(tmp_path: Path) -> None:
    office = Office(tmp_path)
    held = HeldSecrets([FolderSource(tmp_path / "nowhere")], Redactor())
    core = replace(office.core, secrets=held)
    order = SetSecretOrder(name="shop", value=SecretStr("sesame-sesame-0192"))
    with pytest.raises(SecretUnreadableError, match="INTERLOCK_SECRETS_DIR"):
        set_secret(core, order, PersonId("os:rita"))
    kept = list_secrets(core.memory.database)
    core.memory.database.close()

    assert kept == []

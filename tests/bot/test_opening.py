"""Beginning a log, and opening it again."""

from contextlib import closing
from pathlib import Path

import pytest

from bot.opening import begin_log, open_memory
from bot.settings import Settings
from workflows.errors import SigningKeyError, UnusableDatabaseError
from workflows.loading import load_policy


def settings_in(home: Path, **others: str) -> Settings:
    return Settings.model_validate({"home": home, **others})


def test_an_empty_home_begins_a_log_by_itself(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    first = open_memory(settings)
    first.database.close()
    again = open_memory(settings)
    with closing(again.database):
        found = again.vkey

    assert found == first.vkey
    assert settings.home.stat().st_mode & 0o077 == 0


def test_the_policy_to_start_from_can_be_used(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    begin_log(settings).database.close()

    assert load_policy(settings.policy_file).rules


def test_a_log_is_begun_only_once(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    begin_log(settings).database.close()

    with pytest.raises(UnusableDatabaseError, match="holds a log already"):
        begin_log(settings)


def test_a_log_whose_keys_are_lost_is_not_begun_anew(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    begin_log(settings).database.close()
    for key in (settings.home / "keys").iterdir():
        key.unlink()

    with pytest.raises(SigningKeyError, match="missing"):
        open_memory(settings)


def test_a_log_whose_database_is_lost_is_not_begun_anew(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home")
    begin_log(settings).database.close()
    (settings.home / "interlock.db").unlink()

    with pytest.raises(UnusableDatabaseError):
        open_memory(settings)


def test_another_log_than_the_settings_name_is_refused(tmp_path: Path) -> None:
    begin_log(settings_in(tmp_path, origin="a.example/audit")).database.close()

    with pytest.raises(UnusableDatabaseError, match=r"a\.example/audit"):
        open_memory(settings_in(tmp_path, origin="b.example/audit"))

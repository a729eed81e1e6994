"""What the bot makes of its environment."""

from pathlib import Path

import pytest

from bot.settings import SettingsError, read_settings, require_tokens


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "INTERLOCK_HTTP"):
        monkeypatch.delenv(name, raising=False)


def test_everything_lies_in_the_home_folder_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INTERLOCK_HOME", "/srv/ops")
    settings = read_settings()

    assert settings.database_url == "sqlite:////srv/ops/interlock.db"
    assert settings.definitions == Path("/srv/ops/workflows")
    assert settings.policy_file == Path("/srv/ops/policy.yaml")


def test_a_token_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-from-a-file\n")
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(tmp_path / "token"))
    settings = read_settings()

    assert settings.bot_token is not None
    assert settings.bot_token.get_secret_value() == "xoxb-from-a-file"


def test_a_token_file_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN_FILE", str(tmp_path / "nowhere"))

    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN_FILE"):
        read_settings()


def test_settings_never_print_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-very-secret")
    monkeypatch.setenv("INTERLOCK_DATABASE_URL", "postgresql://bot:hunter22@db/ops")

    assert "very-secret" not in repr(read_settings())
    assert "hunter22" not in repr(read_settings())


@pytest.mark.parametrize("address", ["3000", "localhost", "localhost:", ":3000"])
def test_an_address_without_host_or_port_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("INTERLOCK_HTTP", address)

    with pytest.raises(SettingsError, match="host:port"):
        read_settings()


def test_socket_mode_needs_an_app_token_and_http_a_signing_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")

    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN is not set"):
        require_tokens(read_settings())
    monkeypatch.setenv("INTERLOCK_HTTP", "127.0.0.1:3000")
    with pytest.raises(SettingsError, match="SLACK_SIGNING_SECRET is not set"):
        require_tokens(read_settings())


def test_tokens_that_changed_places_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xapp-1")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xoxb-1")

    with pytest.raises(SettingsError, match="does not start with xoxb-"):
        require_tokens(read_settings())

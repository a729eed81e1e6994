"""What the bot makes of its environment."""

from pathlib import Path

import pytest

from bot.settings import SettingsError, read_settings, require_tokens
from bot.workspaces.needs import require_app


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


@pytest.mark.parametrize(
    "address", ["3000", "localhost", "localhost:", ":3000", "here:door", "here:99999"]
)
def test_an_address_without_host_or_port_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("INTERLOCK_HTTP", address)

    with pytest.raises(SettingsError, match="INTERLOCK_HTTP: write host:port"):
        read_settings()


@pytest.mark.parametrize("address", ["slack.com/api/", "slack.com", "http://", "ftp://slack.com/"])
def test_an_address_of_slack_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="write an address such as"):
        read_settings({"SLACK_API_URL": address})


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


def of_host(home: Path, **others: str) -> dict[str, str]:
    return {
        "INTERLOCK_HOME": str(home),
        "INTERLOCK_ORIGIN": "host.example/audit",
        "INTERLOCK_WORKSPACES": "T0ACME, T0GLOBEX E0ORG",
        "INTERLOCK_HTTP": "127.0.0.1:3000",
        **others,
    }


def test_each_workspace_has_a_home_a_log_and_a_database_of_its_own(tmp_path: Path) -> None:
    host = read_settings(of_host(tmp_path))
    acme = read_settings(of_host(tmp_path, INTERLOCK_WORKSPACE="T0ACME"))

    assert host.workspaces == ("T0ACME", "T0GLOBEX", "E0ORG")
    assert acme.home == tmp_path / "workspaces" / "T0ACME"
    assert acme.database_url == f"sqlite:///{tmp_path}/workspaces/T0ACME/interlock.db"
    assert acme.origin == "host.example/audit/T0ACME"
    assert not acme.http


def test_each_workspace_has_a_schema_of_its_own_on_postgres(tmp_path: Path) -> None:
    given = of_host(tmp_path, INTERLOCK_DATABASE_URL="postgresql://bot:hunter22@db/ops")
    acme = read_settings({**given, "INTERLOCK_WORKSPACE": "T0ACME"})

    assert acme.database_url.startswith("postgresql://bot:hunter22@db/ops?")
    assert "interlock_t0acme" in acme.database_url


def test_files_of_a_workspace_go_before_those_of_the_host(tmp_path: Path) -> None:
    given = of_host(tmp_path, INTERLOCK_WORKSPACE="T0ACME")
    home = tmp_path / "workspaces" / "T0ACME"
    neither = read_settings(given)
    (tmp_path / "policy.yaml").touch()
    (tmp_path / "workflows").mkdir()
    shared = read_settings(given)
    (home / "workflows").mkdir(parents=True)
    (home / "policy.yaml").touch()
    own = read_settings(given)

    assert neither.policy_file == own.policy_file == home / "policy.yaml"
    assert neither.definitions == own.definitions == home / "workflows"
    assert shared.policy_file == tmp_path / "policy.yaml"
    assert shared.definitions == tmp_path / "workflows"


def test_what_a_variable_says_for_one_workspace_is_for_no_other(tmp_path: Path) -> None:
    given = of_host(tmp_path, INTERLOCK_CHANNEL="ops", INTERLOCK_CHANNEL__T0ACME="acme-ops")
    channels = {
        one: read_settings({**given, "INTERLOCK_WORKSPACE": one}).channel
        for one in ("T0ACME", "T0GLOBEX")
    }

    assert channels == {"T0ACME": "acme-ops", "T0GLOBEX": "ops"}
    assert read_settings(given).channel == "ops"


@pytest.mark.parametrize("written", ["acme", "T0ACME;E0ORG", "../T0ACME", "U0RITA"])
def test_only_ids_of_workspaces_may_be_listed(tmp_path: Path, written: str) -> None:
    with pytest.raises(SettingsError, match="no id of a workspace"):
        read_settings(of_host(tmp_path, INTERLOCK_WORKSPACES=written))
    with pytest.raises(SettingsError, match="no id of a workspace"):
        read_settings(of_host(tmp_path, INTERLOCK_WORKSPACE=written))


@pytest.mark.parametrize("written", ["ops.example.com", "http://ops.example.com", "https://"])
def test_people_install_over_tls(tmp_path: Path, written: str) -> None:
    with pytest.raises(SettingsError, match="write https://"):
        read_settings(of_host(tmp_path, INTERLOCK_PUBLIC_URL=written))


def test_the_apps_secret_may_lie_in_a_file_and_is_never_printed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("f25b5ceaf8a3c2a2\n")
    settings = read_settings(of_host(tmp_path, SLACK_CLIENT_SECRET_FILE=str(tmp_path / "secret")))

    assert settings.client_secret is not None
    assert settings.client_secret.get_secret_value() == "f25b5ceaf8a3c2a2"
    assert "f25b5ceaf8a3c2a2" not in repr(settings)
    assert "f25b5ceaf8a3c2a2" in settings.tokens.values()


WHOLE = {
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "f25b5ceaf8a3c2a2",
    "SLACK_SIGNING_SECRET": "8f742231b10e8888",
}


def test_a_host_with_everything_it_needs_may_begin(tmp_path: Path) -> None:
    settings = read_settings(of_host(tmp_path, **WHOLE))
    require_app(settings)

    assert settings.serves_many
    assert settings.authorize_url == "https://slack.com/oauth/v2/authorize"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"SLACK_CLIENT_SECRET": ""}, "SLACK_CLIENT_SECRET belong together"),
        ({"SLACK_CLIENT_ID": ""}, "SLACK_CLIENT_SECRET belong together"),
        ({"SLACK_SIGNING_SECRET": ""}, "SLACK_SIGNING_SECRET is not set"),
        ({"INTERLOCK_HTTP": ""}, "INTERLOCK_HTTP is not set"),
        ({"INTERLOCK_WORKSPACES": ""}, "nobody may install"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "Take one of the two out"),
        ({"INTERLOCK_WORKSPACE": "T0ACME"}, "serves all its workspaces together"),
        (
            {"INTERLOCK_HTTP": "127.0.0.1:3000", "INTERLOCK_METRICS": "127.0.0.1:3000"},
            "Give it a port of its own",
        ),
    ],
)
def test_a_host_is_told_what_it_lacks(tmp_path: Path, changed: dict[str, str], told: str) -> None:
    settings = read_settings({**of_host(tmp_path, **WHOLE), **changed})

    with pytest.raises(SettingsError, match=told):
        require_app(settings)

"""What a host of many workspaces says on the command line before anything is served."""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.settings import read_settings
from bot.workspaces.register import opened_register
from storage.installations import Installation, Tokens
from tests import forked

ACME = "T0ACME"
HELLO = """
workflow: hello
title: Hello
owner: "@rita"
deputy: "@ana"
run_by: ["@rita"]
steps:
  - {id: tell, uses: slack.post, with: {text: Hello}}
"""
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def environment(home: Path, **others: str) -> dict[str, str]:
    given = {
        "PATH": os.environ["PATH"],
        "INTERLOCK_HOME": str(home),
        "INTERLOCK_WORKSPACES": f"{ACME},T0GLOBEX",
        "INTERLOCK_HTTP": "127.0.0.1:1",
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "f25b5ceaf8a3c2a2",
        "SLACK_SIGNING_SECRET": "8f742231b10e8888",
        **others,
    }
    return {name: value for name, value in given.items() if value}


def interlock(home: Path, *words: str, **others: str) -> subprocess.CompletedProcess[str]:
    return forked.interlock(*words, env=environment(home, **others))


def installed(home: Path, ident: str, *, name: str) -> None:
    settings = read_settings(environment(home))
    with opened_register(settings, now=lambda: NOW) as register:
        register.installations.save(
            Installation(
                id=ident,
                name=name,
                app="A0INTERLOCK",
                bot_user="U0BOT",
                scopes=("commands",),
                installed_by="U0IVAN",
                installed_at=NOW,
                tokens=Tokens(bot="xoxb-1", refresh="xoxe-1", expires_at=NOW + timedelta(hours=12)),
            )
        )


@pytest.mark.parametrize(
    ("words", "others", "told"),
    [
        (["serve"], {"INTERLOCK_WORKSPACE": ACME}, "not for `interlock serve`"),
        (["serve"], {"INTERLOCK_HTTP": ""}, "INTERLOCK_HTTP is not set"),
        (["serve"], {"SLACK_BOT_TOKEN": "xoxb-1"}, "Take one of the two out"),
        (["serve", "--no-worker"], {}, "On SQLite nobody else"),
        (["audit", "verify"], {}, "Say which one with INTERLOCK_WORKSPACE"),
        (["init"], {}, "Say which one with INTERLOCK_WORKSPACE"),
        (["workspaces"], {"SLACK_CLIENT_ID": "", "SLACK_CLIENT_SECRET": ""}, "there is one"),
        (["run", "refund-customer"], {}, "Say which one with INTERLOCK_WORKSPACE"),
    ],
)
def test_what_does_not_go_together_is_said_at_once(
    tmp_path: Path, words: list[str], others: dict[str, str], told: str
) -> None:
    done = interlock(tmp_path, *words, **others)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_for_an_id_that_was_mistyped_begins_no_log(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "hello.yaml").write_text(HELLO)
    home = tmp_path / "host"
    installed(home, ACME, name="Acme")
    more = {"INTERLOCK_WORKSPACE": "T0ACNE", "INTERLOCK_WORKFLOWS": str(files)}
    done = interlock(home, "run", "hello", **more)

    assert done.returncode == 2
    assert "not installed in T0ACNE" in done.stderr
    assert not (home / "workspaces").exists()


def test_the_list_says_where_the_app_is_and_what_is_wrong(tmp_path: Path) -> None:
    for ident, name in ((ACME, "Acme"), ("T0GLOBEX", "Globex"), ("T0OTHER", "Other")):
        installed(tmp_path, ident, name=name)
    with opened_register(read_settings(environment(tmp_path)), now=lambda: NOW) as register:
        register.installations.note_trouble(ACME, "Slack refuses its bot (token_revoked)")
        globex = register.installations.find("T0GLOBEX")
        assert globex is not None
        register.installations.remove(globex)
    listed = interlock(tmp_path, "workspaces").stdout.splitlines()

    assert [line.split() for line in listed] == [
        [ACME, "trouble", "Acme:", "Slack", "refuses", "its", "bot", "(token_revoked)"],
        ["T0GLOBEX", "removed", "Globex:", "since", "2026-03-02T12:00:00.000Z"],
        ["T0OTHER", "not", "served", "Other:", "INTERLOCK_WORKSPACES", "does", "not", "name", "it"],
    ]


def test_a_host_that_nobody_has_installed_from_says_so(tmp_path: Path) -> None:
    done = interlock(tmp_path, "workspaces")

    assert done.stdout == "The app is installed nowhere yet.\n"
    assert list(tmp_path.iterdir()) == []


def test_another_master_key_is_told_and_loses_nothing(tmp_path: Path) -> None:
    installed(tmp_path, ACME, name="Acme")
    (tmp_path / "keys" / "secrets.key").unlink()
    done = interlock(tmp_path, "serve")

    assert done.returncode == 2
    assert "another master key" in done.stderr


def test_the_tokens_of_installations_are_sealed_by_a_new_key_under_a_new_master(
    tmp_path: Path,
) -> None:
    installed(tmp_path, ACME, name="Acme")
    first = (tmp_path / "keys" / "secrets.key").read_bytes()
    settings = read_settings(environment(tmp_path))
    with opened_register(settings, now=lambda: NOW) as serving:
        done = interlock(tmp_path, "secret", "rotate", "--master")
        there = serving.installations.find(ACME)
    with opened_register(settings, now=lambda: NOW) as anew:
        after = anew.installations.find(ACME)

    assert done.stdout == "2 values are sealed by a new key.\n"
    assert there == after
    assert after is not None
    assert after.tokens is not None
    assert after.tokens.bot == "xoxb-1"
    assert (tmp_path / "keys" / "secrets.key").read_bytes() != first

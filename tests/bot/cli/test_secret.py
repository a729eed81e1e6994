"""`interlock secret`, in a home where nobody serves: what is kept, listed, sealed anew, gone."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import bot
from bot.cli import main
from bot.orders import read_order
from bot.secret_orders import SetSecretOrder
from storage.database import open_database
from storage.history import read_entries
from storage.rebuild import check_projections

VALUE = "sesame-sesame-0192"
POLICY = """
defaults: {expires: 24h}
rules: [{name: any, when: effect == "destructive", stages: [{from: ["@leads"]}]}]
services: {shop: {base_url: "http://127.0.0.1:1", secret_header: {secret: shop-token}}}
webhooks: {events: {secret: hook, requester: "@rita"}}
"""
WORKFLOW = """
workflow: look-up
title: Look up
owner: "@omar"
deputy: "@sam"
steps: [{id: look, uses: http.request, with: {service: shop, path: /x}, returns: {body: {}}}]
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SLACK_BOT_TOKEN", "INTERLOCK_CHANNEL", "INTERLOCK_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path / "home"))
    interlock("init")
    return tmp_path / "home"


def interlock(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(main, [*words], input=given)


def told(*words: str, given: str = "") -> dict[str, Any]:
    return dict(json.loads(interlock(*words, "--json", given=given).stdout))


def kinds(home: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return what the log says of secrets, once its tables were compared with it."""
    database = open_database(str(home / "interlock.db"))
    assert check_projections(database) == []
    with database.read() as connection:
        found = [
            (one.kind, dict(one.data))
            for one in read_entries(connection, 0, 100)
            if one.kind.startswith("secret.")
        ]
    database.close()
    return found


def test_a_value_is_kept_replaced_sealed_anew_and_forgotten(home: Path) -> None:
    first = told("secret", "set", "shop-token", given=f"{VALUE}\n")
    second = told("secret", "set", "shop_token", given=VALUE)
    rotated = told("secret", "rotate")
    (listed,) = told("secret", "list")["secrets"]
    interlock("secret", "rotate", "--master")
    interlock("secret", "forget", "shop_token")
    gone = interlock("secret", "forget", "shop_token")

    assert (first["version"], second["version"], rotated["values"]) == (1, 2, 1)
    assert (listed["secret"], listed["source"], listed["version"]) == ("shop_token", "built in", 2)
    assert (gone.exit_code, "No secret shop_token is kept" in gone.stderr) == (2, True)
    assert kinds(home) == [
        ("secret.set", {"secret": "shop_token", "version": 1}),
        ("secret.set", {"secret": "shop_token", "version": 2}),
        ("secret.rotated", {"secret": "shop_token", "version": 2}),
        ("secret.rotated", {"secret": "shop_token", "version": 2}),
        ("secret.forgotten", {"secret": "shop_token", "version": 2}),
    ]


def test_no_file_of_the_home_and_no_answer_holds_a_value(home: Path) -> None:
    said = [
        interlock("secret", "set", "shop_token", given=VALUE).output,
        interlock("secret", "rotate", "--master").output,
        interlock("secret", "list", "--json").output,
    ]
    forms = [VALUE.encode(), VALUE.encode().hex().encode(), b"c2VzYW1lLXNlc2FtZS0wMTky"]
    files = [one for one in home.rglob("*") if one.is_file()]

    assert not [one for one in files if any(form in one.read_bytes() for form in forms)]
    assert not [one for one in said if VALUE in one]
    assert home / "keys" / "secrets.key" in files
    assert not (home / "keys" / "secrets.key.next").exists()


@pytest.mark.parametrize("given", ["", "short\n", "seven77"])
def test_a_short_value_is_refused(given: str) -> None:
    done = interlock("secret", "set", "shop_token", given=given)

    assert done.exit_code == 2
    assert "fewer than 8" in done.stderr
    assert told("secret", "list")["secrets"] == []


def test_on_a_terminal_a_value_is_asked_for_twice_and_not_shown(home: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bot.cli", "secret", "set", "shop_token"]
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(Path(bot.__file__).parents[1])},
    )
    os.close(theirs)
    shown = b""
    for asked in (b"Value: ", b"Once more: ", b"is set, version 1"):
        while asked not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, f"{VALUE}\n".encode())
    process.wait(timeout=30)
    os.close(ours)

    assert VALUE.encode() not in shown
    assert kinds(home)[0] == ("secret.set", {"secret": "shop_token", "version": 1})


def test_a_value_cannot_be_an_argument() -> None:
    done = interlock("secret", "set", "shop_token", VALUE)

    assert done.exit_code == 2
    assert "have it changed" in done.stderr
    assert VALUE not in done.output


def test_a_value_that_is_no_text_is_refused_as_such() -> None:
    done = CliRunner().invoke(main, ["secret", "set", "shop_token"], input=b"\xff" * 20)

    assert (done.exit_code, "The value is no text in UTF-8." in done.stderr) == (2, True)


def test_the_list_says_who_needs_what_and_what_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "policy.yaml").write_text(POLICY)
    (home / "workflows" / "look-up.yaml").write_text(WORKFLOW)
    monkeypatch.setenv("INTERLOCK_SECRET_HOOK", "whsec_c2VzYW1lLXNlc2FtZS0wMTkyLTAxOTItMDE5Mg==")
    interlock("secret", "set", "hook", given=VALUE)
    hook, shop = told("secret", "list")["secrets"]

    assert (hook["source"], hook["used_by"]) == ("environment", ["webhook events"])
    assert (shop["source"], shop["used_by"], shop["last_used_at"]) == (None, ["look-up"], None)
    lines = interlock("secret", "list").output
    assert re.search(r"shop_token +NOT SET; never used; look-up", lines)


def test_a_secret_that_another_source_hides_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_SECRET_SHOP_TOKEN", "of-the-environment")

    assert "comes first" in interlock("secret", "set", "shop_token", given=VALUE).output


def test_a_lost_master_key_stops_nothing_but_what_needs_it(home: Path) -> None:
    interlock("secret", "set", "shop_token", given=VALUE)
    (home / "keys" / "secrets.key").unlink()
    (listed,) = told("secret", "list")["secrets"]

    assert "another master key" in listed["trouble"]
    assert interlock("secret", "forget", "shop_token").exit_code == 0


def test_an_order_prints_no_value_and_carries_it_over_the_socket() -> None:
    order = SetSecretOrder.model_validate({"name": "shop_token", "value": VALUE})
    arrived = read_order(order.model_dump_json().encode())

    assert VALUE not in repr(order)
    assert isinstance(arrived, SetSecretOrder)
    assert arrived.value.get_secret_value() == VALUE

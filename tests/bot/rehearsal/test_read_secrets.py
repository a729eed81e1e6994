"""`interlock try --read` with the secrets that a bot here would use, and no word of them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr

from bot.cli import main
from bot.secret_orders import SetSecretOrder, set_secret
from storage.secret_rows import uses
from tests.bot.catalog import Office
from workflows.people import PersonId
from workflows.redaction import MARK

VALUE = "sesame-sesame-0192"
POLICY = """
defaults: {{expires: 24h}}
rules: [{{name: all, when: effect == "destructive", stages: [{{from: ["@deciders"]}}]}}]
services:
  shop:
    base_url: "http://127.0.0.1:{port}"
    private: true
    secret_header: {{name: Authorization, secret: shop-token}}
secrets: {{shop_token: {{publishers: ["@deciders"], workflows: [look-up]}}}}
"""
LOOK_UP = """
workflow: look-up
title: Look up
owner: "@owners"
deputy: "@deputies"
secrets: [shop_token]
steps:
  - id: look
    uses: http.request
    with: {service: shop, path: /told}
"""


class Shop:
    """A service that tells whoever asks by which secret they asked."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append(str(self.headers["Authorization"]))
                body = json.dumps({"asked": seen[-1]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    found = Shop()
    yield found
    found.server.shutdown()
    found.server.server_close()
    found.thread.join()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("office"), POLICY.format(port=shop.server.server_port))
    order = SetSecretOrder(name="shop-token", value=SecretStr(VALUE))
    set_secret(made.core, order, PersonId("os:rita"))
    made.write("files/look-up.yaml", LOOK_UP)
    made.write("people.yaml", 'people: {"@owners": [omar], "@deputies": [dina]}\n')
    yield made
    made.core.memory.database.close()


def tried(office: Office, what: str | Path, *more: str) -> Result:
    variables = {
        "INTERLOCK_HOME": str(office.settings.home),
        "INTERLOCK_POLICY": str(office.settings.policy),
        "INTERLOCK_WORKFLOWS": str(office.settings.workflows),
    }
    words = ["try", str(what), "--read", "--fixtures", str(office.folder / "people.yaml"), *more]
    return CliRunner().invoke(main, words, env=variables)


def test_a_read_is_made_with_a_kept_secret_which_is_not_printed_and_whose_use_is_not_noted(
    office: Office, shop: Shop
) -> None:
    told = tried(office, "look-up")

    assert told.exit_code == 0, told.output
    assert shop.seen == [VALUE]
    assert MARK in told.output
    assert VALUE not in told.output
    assert uses(office.core.memory.database) == {}


def test_a_workflow_that_the_policy_does_not_give_it_to_reads_nothing(
    office: Office, shop: Shop
) -> None:
    before = list(shop.seen)
    other = office.write("other.yaml", LOOK_UP.replace("look-up", "snoop-about"))
    told = tried(office, other)

    assert told.exit_code != 0
    assert "does not give the secret shop_token to snoop-about" in told.output
    assert shop.seen == before


def test_a_policy_that_is_named_is_lent_nothing_that_is_kept(office: Office, shop: Shop) -> None:
    before = list(shop.seen)
    told = tried(office, "look-up", "--policy", str(office.settings.policy))

    assert told.exit_code == 1
    assert "There is no secret" in told.output
    assert shop.seen == before

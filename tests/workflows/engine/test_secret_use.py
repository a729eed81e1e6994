"""A secret is looked up for the effect and not before, and each use stands in the log."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage.store import SqlStore
from tests.workflows.actions.conftest import RawServer
from tests.workflows.actions.http_parts import answer
from tests.workflows.engine.gated import wait
from tests.world import CHANGE, POLICY, Clock, Working
from workflows.actions.http import HttpRequest
from workflows.errors import SecretUnreadableError
from workflows.secret_book import Found
from workflows.services import Services

PAYS = """
workflow: pays
title: Pays
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
%s
steps:
  - id: pay
    uses: http.request
    with: {service: shop, method: POST, path: /pay}
    effect: destructive
    retry: {attempts: 2, first: 1s, max: 1s}
    verify:
      uses: world.read
      with: {name: number}
      expect: "true"
    undo: none
"""

PIN = 12345678


class Book:
    """Secrets over a network: it notes who asked, and may be away."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_away = False

    def find(self, name: str) -> Found:
        self.asked.append(name)
        if self.is_away:
            raise SecretUnreadableError("It is away.")
        return Found(value="sesame-sesame", version=4)


@pytest.fixture
def server() -> Iterator[RawServer]:
    made = RawServer(lambda connection, _: connection.sendall(answer(200, b'"paid"')))
    yield made
    made.close()


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def paying(
    store: SqlStore, clock: Clock, server: RawServer, book: Book
) -> Callable[..., tuple[Working, Any]]:
    def start(more: str = "", *, private: bool = True) -> tuple[Working, Any]:
        header = {"secret": "shop-token"}
        declared = {"base_url": server.url, "private": private, "secret_header": header}
        action = HttpRequest(Services.model_validate({"services": {"shop": declared}}))
        house = Working(
            store,
            clock,
            definitions=(PAYS % more,),
            policy=POLICY,
            more={"http.request": action},
        )
        house.secrets = book
        run = house.start("pays")
        house.settle()
        return house, run

    return start


def test_a_secret_is_asked_for_once_people_have_agreed(
    paying: Callable[..., tuple[Working, Any]], book: Book, server: RawServer
) -> None:
    house, run = paying()
    before = list(book.asked)
    house.approve(run)
    house.settle()
    (used,) = [one for one in house.entries(run) if one.kind == "secret.used"]

    assert (before, book.asked) == ([], ["shop-token"])
    assert used.data == {"secret": "shop_token", "version": 4, "step": "pay"}
    assert b"Authorization: sesame-sesame" in server.requests[0]
    assert house.status(run) == "done"


def test_where_secrets_are_away_nothing_is_performed_and_it_is_tried_again(
    paying: Callable[..., tuple[Working, Any]], book: Book, server: RawServer
) -> None:
    house, run = paying()
    book.is_away = True
    house.approve(run)
    house.settle()
    failed = next(one for one in house.entries(run) if one.kind == "action.failed")
    book.is_away = False
    wait(house, seconds=5)
    asked = list(server.requests)

    assert (failed.data["error_class"], failed.data["performed"]) == ("secret_unreadable", "no")
    assert len(asked) == 1
    assert house.status(run) == "done"


def test_a_workflow_that_does_not_name_it_gets_none(
    paying: Callable[..., tuple[Working, Any]], book: Book, server: RawServer
) -> None:
    house, run = paying("secrets: [other]")
    house.approve(run)
    house.settle()

    assert house.status(run) == "exception"
    assert (book.asked, server.requests) == ([], [])


PASSES_ON = """
workflow: passes-on
title: Pass it on
owner: "@owners"
deputy: "@deputies"
run_by: ["@askers"]
inputs: {word: {type: string, required: false}}
steps:
  - {id: look, uses: http.request, with: {service: shop, path: /look}}
  - id: again
    uses: http.request
    with: {service: shop, path: "/${{ inputs.word }}-${{ inputs.word }}"}
  - id: pass
    uses: http.request
    with: {service: shop, method: POST, path: /elsewhere, json: "${{ steps.look.output.body }}"}
    undo: none
"""


@pytest.mark.parametrize(
    ("word", "step", "said"),
    [
        ("plain", "pass", b"from which a secret was taken out"),
        ("sesame", "again", b"stands in the clear"),  # Put together from pieces.
    ],
)
def test_a_secret_that_came_back_is_passed_on_to_nobody_and_the_trail_says_why(
    store: SqlStore, clock: Clock, book: Book, word: str, step: str, said: bytes
) -> None:
    server = RawServer(lambda to, _: to.sendall(answer(200, b'{"you sent": "sesame-sesame"}')))
    declared = {"base_url": server.url, "private": True, "secret_header": {"secret": "shop-token"}}
    shop = HttpRequest(Services.model_validate({"services": {"shop": declared}}))
    more, held = {"http.request": shop}, ["sesame-sesame"]
    house = Working(store, clock, definitions=(PASSES_ON,), more=more, held=held)
    house.secrets = book
    run = house.start("passes-on", inputs={"word": word})
    house.settle()
    server.close()
    last = house.entries(run)[-1]

    assert house.status(run) == "exception"
    assert (last.kind, last.data["step"], last.data["rule"]) == ("decision.made", step, "secret")
    assert said in (last.parts["reason"].value or b"")
    assert not any(b"POST" in one for one in server.requests)


@pytest.mark.parametrize(
    ("number", "status", "effects"), [(PIN, "exception", 0), (PIN - 5, "done", 1)]
)
def test_a_secret_of_digits_that_comes_back_as_a_number_leaves_the_run_readable(
    store: SqlStore, clock: Clock, number: int, status: str, effects: int
) -> None:
    house = Working(store, clock, policy=POLICY, held=[str(PIN)])
    house.world.number, text = number, CHANGE.replace("value < 1000", "value < 100000000")
    house.shelf.put(text.replace("effect: destructive", "effect: write"))
    run = house.start()
    house.settle()
    kept = "".join(
        (one.parts["output"].value or b"").decode()
        for one in house.entries(run)
        if "output" in one.parts
    )

    assert house.status(run) == status
    assert len(house.world.effects) == effects
    assert "[secret removed]" in kept
    assert str(PIN) not in kept


def test_a_service_at_a_private_address_gets_nothing_and_the_trail_says_why(
    paying: Callable[..., tuple[Working, Any]], server: RawServer
) -> None:
    house, run = paying(private=False)
    house.approve(run)
    house.settle()
    failed = next(one for one in house.entries(run) if one.kind == "action.failed")

    assert (failed.data["error_class"], failed.data["performed"]) == ("egress_refused", "no")
    assert server.requests == []
    assert house.status(run) == "exception"

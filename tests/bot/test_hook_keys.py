"""Without the key of a webhook nobody makes the bot look it up often, nor holds up who has it."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.hook_keys import BURST, HookKeys
from bot.hooks import Hooks
from bot.problems import DoorError
from bot.secret_sources.environment import EnvironmentSource
from bot.secret_sources.held import HeldSecrets
from bot.webhook_signature import SignatureError
from workflows.errors import SecretError
from workflows.redaction import Redactor
from workflows.webhooks import Webhook

HOOK = Webhook(secret="shop_hook", requester="@rita")
OLD, NEW = b"old", b"new"


class Shelf:
    """Where the key lies, and how often somebody looked."""

    def __init__(self) -> None:
        self.key: bytes | None = OLD
        self.looks = 0
        self.now = 0.0
        self.keys = HookKeys(self.look, ticks=lambda: self.now)

    def look(self, _webhook: Webhook) -> bytes:
        self.looks += 1
        if self.key is None:
            raise SecretError("There is no such secret.")
        return self.key

    def comes(self, signed_with: bytes) -> str:
        def check(key: bytes) -> str:
            if key != signed_with:
                raise SignatureError("This delivery is not signed with the webhook's secret.")
            return "msg_1"

        return self.keys.signed("shop", HOOK, check)

    def flood(self, deliveries: int = 500) -> None:
        for _ in range(deliveries):
            with pytest.raises(SignatureError):
                self.comes(b"made up")


def test_a_start_looks_whether_a_secret_is_a_key_and_is_no_use_of_it() -> None:
    used: list[str] = []
    given = EnvironmentSource({"INTERLOCK_SECRET_SHOP_HOOK": "whsec_" + "YWJj" * 12})
    held = HeldSecrets([given], Redactor(), used=used.append)
    core: Any = SimpleNamespace(policy=SimpleNamespace(webhooks={"shop": HOOK}), secrets=held)
    Hooks(core)

    assert used == []
    assert held.reveal("shop_hook")
    assert used == ["shop_hook"]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_a_flood_of_unsigned_deliveries_costs_few_lookups(shelf: Shelf) -> None:
    shelf.flood()

    assert shelf.looks == BURST


def test_what_is_signed_is_taken_amid_a_flood_and_held_to_the_key_as_it_is_now(
    shelf: Shelf,
) -> None:
    shelf.flood()
    looks = shelf.looks

    assert [shelf.comes(OLD) for _ in range(100)] == ["msg_1"] * 100
    assert shelf.looks == looks + 100

    shelf.key = NEW
    with pytest.raises(SignatureError):
        shelf.comes(OLD)
    assert shelf.comes(NEW) == "msg_1"


def test_a_new_key_counts_at_once_and_amid_a_flood_within_a_second(shelf: Shelf) -> None:
    shelf.comes(OLD)
    shelf.key = NEW
    assert shelf.comes(NEW) == "msg_1"
    shelf.flood()
    shelf.key = OLD
    shelf.now += 1

    assert shelf.comes(OLD) == "msg_1"


def test_a_secret_that_was_taken_back_lets_nobody_in(shelf: Shelf) -> None:
    shelf.comes(OLD)
    shelf.key = None

    for _ in range(2):
        with pytest.raises(SecretError):
            shelf.comes(OLD)


def test_a_secret_that_is_not_there_is_looked_for_seldom(shelf: Shelf) -> None:
    shelf.key = None
    for _ in range(BURST):
        with pytest.raises(SecretError):
            shelf.comes(OLD)
    with pytest.raises(DoorError, match="Too many requests"):
        shelf.comes(OLD)

    assert shelf.looks == BURST

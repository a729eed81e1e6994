"""Deliveries of webhooks: signed, taken once, and turned into the runs that definitions name.

The policy says which webhooks there are, who signs them and who asks for their runs; the
definitions say what they start. A body is never logged and never kept but as inputs of a run.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from bot.core import Core
from bot.hook_keys import HookKeys
from bot.json_body import read_object
from bot.one_person import one_person
from bot.problems import Answer, DoorError
from bot.rate_limit import RateLimit
from bot.webhook_signature import (
    github_delivery,
    refuse_keyless,
    signing_key,
    standard_delivery,
)
from workflows.definition import Definition
from workflows.entry import Json
from workflows.errors import InterlockError, SecretError, SecretUnreadableError
from workflows.orders import Start, Started
from workflows.secret_book import plain
from workflows.store import Delivery
from workflows.webhook_mapping import Delivered, mapped
from workflows.webhooks import Webhook

RATE, BURST = 20.0, 200

# What the expressions of a trigger may know of the headers, and where it stands.
_TOLD = {
    "webhook_id": "webhook-id",
    "webhook_timestamp": "webhook-timestamp",
    "github_event": "x-github-event",
    "github_delivery": "x-github-delivery",
}

log = logging.getLogger(__name__)


class Hooks:
    """The webhooks' door. Safe to share between threads."""

    def __init__(self, core: Core) -> None:
        """Look at every secret that lies on this machine; each delivery is held to its own anew.

        Raises:
            SecretError: one cannot be a key of its scheme.
        """
        self._core = core
        self._webhooks = core.policy.webhooks or {}
        self._keys = HookKeys(lambda webhook: _key(core, webhook))
        self._limit = RateLimit(rate=RATE, burst=BURST, ticks=time.monotonic)
        here = core.secrets.names()
        for name, one in self._webhooks.items():
            if plain(one.secret) in here:
                refuse_keyless(name, one, core.secrets.look_at(one.secret))

    def deliver(self, name: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Start what a delivery asks for; the same delivery again starts nothing more.

        Raises:
            InterlockError: it is refused, and whoever sent it may send it again.
        """
        webhook = self._webhooks.get(name)
        if webhook is None:
            raise DoorError(
                HTTPStatus.NOT_FOUND,
                "There is no such webhook.",
                hint="Check its name in the address; the policy names those there are.",
            )
        try:
            return self._taken(name, webhook, headers, body)
        except InterlockError as refusal:
            why = type(refusal).__name__
            log.warning("a delivery was refused", extra={"webhook": name, "refusal": why})
            raise

    def _taken(
        self, name: str, webhook: Webhook, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        ident = self._delivery(name, webhook, headers, body)
        self._limit.take(name)
        told = {ours: headers[theirs] for ours, theirs in _TOLD.items() if theirs in headers}
        delivered = Delivered(body=read_object(body), headers=told)
        wanted, refusals = self._wanted(name, delivered)
        if not wanted:
            return _answer([], refusals)
        requester = one_person(self._core.people, webhook.requester).id
        return self._start(
            refusals,
            [
                Start(
                    workflow=definition.workflow,
                    inputs=inputs,
                    trigger="webhook",
                    person=requester,
                    channel=self._core.settings.channel,
                    source=name,
                    delivery=Delivery(
                        team="webhook", kind=f"{name}/{definition.workflow}", key=ident
                    ),
                )
                for definition, inputs in wanted
            ],
        )

    def _wanted(
        self, name: str, delivered: Delivered
    ) -> tuple[list[tuple[Definition, dict[str, Json]]], list[InterlockError]]:
        """Return what the delivery starts, with which inputs, and what of it cannot be said."""
        wanted: list[tuple[Definition, dict[str, Json]]] = []
        refusals: list[InterlockError] = []
        for definition in self._core.library.definitions():
            try:
                inputs = _inputs(definition, name, delivered)
            except InterlockError as refusal:
                refusals.append(refusal)
                continue
            if inputs is not None:
                wanted.append((definition, inputs))
        if self._core.library.is_deaf(name):
            refusals.append(_deaf())
        return wanted, refusals

    def _start(self, refusals: Sequence[InterlockError], orders: Sequence[Start]) -> Answer:
        """Start all that can be started, so that one refusal does not hold up the others."""
        runs: list[tuple[str, Started]] = []
        refused = [*refusals]
        for order in orders:
            try:
                runs.append((order.workflow, self._core.engine.start(order)))
            except InterlockError as refusal:
                refused.append(refusal)
        return _answer(runs, refused)

    def _delivery(
        self, name: str, webhook: Webhook, headers: Mapping[str, str], body: bytes
    ) -> str:
        # Whoever sends is not known yet, and is told no name of a secret.
        told = {"webhook": name, "secret": plain(webhook.secret)}
        try:
            return self._keys.signed(
                name, webhook, lambda key: self._checked(webhook, headers, body, key)
            )
        except SecretUnreadableError as error:
            log.warning("a webhook's secret cannot be asked for", extra=told)
            raise DoorError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The secret of this webhook cannot be looked up now.",
                hint="Send it again in a while.",
            ) from error
        except SecretError as error:
            log.warning("a webhook has no usable secret", extra=told)
            raise DoorError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The secret of this webhook is not set.",
                hint="The bot's log names it, for whoever runs the bot.",
            ) from error

    def _checked(
        self, webhook: Webhook, headers: Mapping[str, str], body: bytes, key: bytes
    ) -> str:
        if webhook.scheme == "github":
            return github_delivery(headers, body, key=key)
        return standard_delivery(
            headers, body, key=key, now=self._core.means.clock(), tolerance=webhook.tolerance
        )


def _deaf() -> DoorError:
    return DoorError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "A workflow that listens to this webhook cannot be read here.",
        hint="Send it again later. The bot's log says why, for whoever runs the bot.",
    )


def _answer(runs: Sequence[tuple[str, Started]], refusals: Sequence[InterlockError]) -> Answer:
    """Return what the sender is told: what was started, or the first refusal.

    Raises:
        InterlockError: some of it was refused.
    """
    if refusals:
        raise refusals[0]
    told: list[Json] = [
        {"workflow": workflow, "run": one.run, "is_new": one.is_new} for workflow, one in runs
    ]
    is_new = any(one.is_new for _, one in runs)
    return Answer(status=HTTPStatus.CREATED if is_new else HTTPStatus.OK, data={"runs": told})


def _inputs(definition: Definition, name: str, delivered: Delivered) -> dict[str, Json] | None:
    """Return what the first trigger that counts gives, None where none does.

    One delivery starts at most one run of a workflow, so that however its triggers are changed
    between two attempts of the sender, there is one.
    """
    given = (mapped(one, delivered) for one in definition.webhook(name))
    return next((one for one in given if one is not None), None)


def _key(core: Core, webhook: Webhook) -> bytes:
    return signing_key(webhook, core.secrets.reveal(webhook.secret))

"""People of the pretend Slack who start runs and approve them, for benches that time clicks.

The bot under them is a process of its own, started as in production, and so is the target of
each run's step (`marking`), which notes when it began.
"""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.marking import PATIENCE, Marks
from bench.progress import Progress
from sandbox import faults as fault
from sandbox.delivery.envelope import Delivery
from sandbox.demo.stage import Stage
from sandbox.seen import SeenMessage

SHIPPED = Path(__file__).parents[1] / "workflows" / "definitions"
APPROVERS = ("ana", "ben")
SLOW = ("usergroups.list", "users.info", "users.list")
LAST = 99_999  # Numbers from here down are for commands that nobody clicks for.
PER_CARD = 10.0  # Seconds; the bot posts once a second in a channel, as Slack wants it.

POLICY = """
defaults: {{expires: 24h}}
rules:
  - name: marks
    when: effect == "destructive"
    stages: [{{from: ["@finance-leads"], approve: 1}}]
services:
  marks:
    base_url: {url}
    private: true
    paths: ["/marks/[0-9]+"]
    honours_idempotency_key: true
"""

WORKFLOW = """
workflow: make-a-mark
title: Make a mark
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
inputs:
  number: {type: integer, title: Number, minimum: 1, maximum: 100000}
steps:
  - id: mark
    title: Make the mark
    uses: http.request
    with: {service: marks, method: POST, path: "/marks/${{ inputs.number }}"}
    effect: destructive
    timeout: 1m
    verify:
      uses: http.request
      with: {service: marks, method: GET, path: "/marks/${{ inputs.number }}"}
      returns: {body: {made: boolean}}
      expect: result.body.made
      within: 1m
    undo: none
"""


def furnish(stage: Stage, url: str) -> None:
    """Give the bot one workflow, whose step asks the server at `url`, and a policy for it."""
    stage.policy.write_text(POLICY.format(url=url))
    for file in stage.workflows.glob("*.yaml"):
        file.unlink()
    (stage.workflows / "make-a-mark.yaml").write_text(WORKFLOW)


@dataclass(slots=True)
class Timed:
    """Milliseconds from each click to its ack, to its step, and to the card that shows it."""

    acks: list[float] = field(default_factory=list)
    begins: list[float] = field(default_factory=list)
    cards: list[float] = field(default_factory=list)


class Clicking:
    """People of the sandbox who start runs and approve them."""

    def __init__(self, stage: Stage, marks: Marks) -> None:
        self._stage = stage
        self._slack = stage.slack.workspace
        self.marks = marks
        self._number = 0

    def asked(self, count: int) -> list[tuple[int, SeenMessage]]:
        """Start runs and return their numbers and cards, once all of them stand in Slack."""
        numbers = range(self._number + 1, self._number + 1 + count)
        for _ in range(count):
            self._start()
        progress = Progress("cards in Slack", count)

        def enough() -> list[tuple[int, SeenMessage]] | None:
            named = [(_named(card, numbers), card) for card in self._cards()]
            own = [(number, card) for number, card in named if number is not None]
            progress.at(len(own))
            return own if len(own) == count else None

        patience = PATIENCE + PER_CARD * count
        return self._slack.wait_for(enough, timeout=patience, what=f"{count} cards")

    def click(self, card: SeenMessage, who: str, *, wait: bool) -> Delivery:
        """Press the approve button of a card."""
        label = next(one for one in card.buttons if one not in ("Reject", "Review"))
        return self._slack.person(who).click(label, message=card, wait=wait)

    def singles(self, count: int) -> "Timed":
        """Click one card after the other; return what each click took."""
        timed = Timed()
        asked = self.asked(count)
        progress = Progress("single clicks", count)
        for done, (number, card) in enumerate(asked):
            progress.at(done)
            time.sleep(1)  # The step, the messages and the summary of the one before are done.
            delivery = self.click(card, APPROVERS[0], wait=True)
            timed.acks.append(_ack(delivery))
            timed.begins.append((self.marks.wait(number) - delivery.begun) * 1000)
            timed.cards.append(self._until_updated(card, delivery))
        return timed

    def burst(self, count: int) -> "Timed":
        """Click that many cards at one moment, each of a run of its own."""
        cards = self.asked(count)
        time.sleep(1)
        sent = [
            self.click(card, APPROVERS[place % 2], wait=False)
            for place, (_, card) in enumerate(cards)
        ]
        timed = Timed()
        for (number, card), delivery in zip(cards, sent, strict=True):
            timed.begins.append((self.marks.wait(number) - delivery.begun) * 1000)
            timed.cards.append(self._until_updated(card, delivery))
            timed.acks.append(_ack(delivery))
        return timed

    def slow_commands(self, count: int, seconds: float) -> list[float]:
        """Type that many commands at once while Slack takes its time to say who is who.

        Return milliseconds to each ack; Slack gives up after three seconds.
        """
        self._stage.slack.faults.randomly(
            {one: [fault.slow(seconds)] for one in SLOW}, rate=1.0, seed=1
        )
        rita = self._slack.person("rita")
        try:
            sent = [
                rita.command(f"/ops run make-a-mark number={LAST - place}", wait=False)
                for place in range(count)
            ]
            self._slack.wait_for(
                lambda: all(one.settled for one in sent) or None,
                timeout=PATIENCE,
                what="every acknowledgement",
            )
        finally:
            self._stage.slack.faults.clear()
        return [_ack(one) for one in sent]

    def _until_updated(self, card: SeenMessage, delivery: Delivery) -> float:
        """Return milliseconds until the card that was clicked shows what became of it."""

        def updated() -> float | None:
            calls = self._stage.slack.hub.recorder.calls("chat.update", ok=True)
            own = (one.at for one in calls if one.arguments.get("ts") == card.ts)
            return next((at for at in own if at >= delivery.at), None)

        at = self._slack.wait_for(updated, timeout=PATIENCE, what="a card to change")
        return (at - delivery.at) * 1000

    def _start(self) -> None:
        self._number += 1
        rita = self._slack.person("rita")
        rita.command("/ops run make-a-mark", channel="#ops")
        rita.wait_for_view("")
        rita.submit({"Number": str(self._number)})

    def _cards(self) -> list[SeenMessage]:
        roots = self._slack.messages("#ops")
        threads = [self._slack.messages("#ops", thread=one) for one in roots]
        return [one for thread in threads for one in thread if "Reject" in one.buttons]


def _named(card: SeenMessage, numbers: range) -> int | None:
    """Return which of these runs a card is for, if any; its plan names the path."""
    found = re.search(r"/marks/([0-9]+)\b", card.words)
    return int(found[1]) if found and int(found[1]) in numbers else None


def _ack(delivery: Delivery) -> float:
    if not delivery.acked or delivery.ack_seconds is None:
        raise RuntimeError(f"a click was not acknowledged: {delivery.outcome}")
    return delivery.ack_seconds * 1000

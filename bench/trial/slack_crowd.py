"""People in front of the pretend Slack: they type commands and press buttons on cards."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.trial.crowd import Crowd
from bench.trial.home import Home
from bench.trial.wish import Wish
from sandbox.errors import NotPossibleError
from sandbox.seen import SeenMessage
from sandbox.workspace import Workspace
from workflows.message_keys import read_answer_value

AT_ONCE = 10
STAFF = ("rita", "sam", "ana", "ben", "dora", "omar", "petra", "ivan")
CHANNELS = tuple(f"desk-{number}" for number in range(1, 9))  # The bot posts once a second in each.
STARTED = "* has started: "
# What a person is told without a start, and rightly: Postgres is away, Slack does not answer
# whether they may, or Slack gave the same command twice and the first one counts.
NOT_NOW = (
    "cannot be reached",
    "did not answer",
    "could not be asked",
    "did not say in time",
    "Slack gave up",
    "a moment ago",
    "try again",
)
APPROVE, REVIEW, REJECT = "request.approve", "request.review", "request.reject"
DOUBT = {True: "doubt.happened", False: "doubt.not_happened"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button on a message, as somebody sees it now."""

    message: SeenMessage
    action: str
    value: str


class SlackCrowd(Crowd):
    """A crowd that has nothing but Slack."""

    def __init__(self, home: Home, cases: Iterator[Wish], slack: Workspace) -> None:
        super().__init__(home, cases, at_once=AT_ONCE)
        self._slack = slack
        self._clicking = ThreadPoolExecutor(8, "click")
        self._buttons: list[Button] = []
        self._typed: dict[str, Wish] = {}
        for name in CHANNELS:
            slack.add_channel(name, members=STAFF)

    def start(self, case: Wish) -> bool:
        """Type the command once, since nobody could tell a second time from a second wish.

        Where Slack shows an error the run may stand all the same; it then counts as accepted
        as soon as it is seen.
        """
        self._typed[case.subject] = case
        typed = " ".join(f"{name}={value}" for name, value in case.inputs.items() if value)
        channel = f"#{CHANNELS[len(self.accepted) % len(CHANNELS)]}"
        command = f"/ops run {case.workflow} {typed}"
        sent = self._slack.person("rita").command(command, channel=channel)
        told = str((sent.answer or {}).get("text", "")) if sent.acked else ""
        if STARTED in told:
            self.accepted[case.subject] = case
            return True
        if told and not any(one in told for one in NOT_NOW):
            self.refusals.append(f"{case.subject}: {told}")
        time.sleep(0.5)  # A person would not type the next one at once either.
        return True

    def look(self) -> None:
        for subject in self.home.watch.runs().keys() & self._typed.keys():
            self.accepted.setdefault(subject, self._typed[subject])
        self._buttons = list(self._all_buttons())
        super().look()

    def decide(self, case: Wish, request: str) -> None:
        """Press Approve or Reject, as often as this case does, at one instant."""
        if not self.is_due(request, "decide", every=4.0):
            return
        wanted = {REJECT} if case.verdict == "deny" else {APPROVE, REVIEW}
        for button in self._buttons:
            if button.action in wanted and request in button.value:
                for number in range(case.clicks):
                    self._press(button, ("ana", "ben")[number % 2])

    def cancel(self, run: str) -> None:
        self._clicking.submit(
            self._slack.person("rita").command,
            f"/ops cancel {run} changed my mind",
            channel=f"#{CHANNELS[0]}",
        )

    def answer_doubt(self, run: str, step: str, *, happened: bool) -> None:
        self._answer(run, step, DOUBT[happened])

    def answer_exception(self, run: str, step: str, *, answer: str) -> None:
        offered = {one.action for one in self._buttons if _is_about(one, run, step)}
        wanted = f"exception.{answer}"
        # A card offers to undo only where that is possible; aborting is, always.
        self._answer(run, step, wanted if wanted in offered else "exception.abort")

    def _answer(self, run: str, step: str, action: str) -> None:
        for button in self._buttons:
            if button.action == action and _is_about(button, run, step):
                self._press(button, "omar")

    def _press(self, button: Button, who: str) -> None:
        self._clicking.submit(self._pressed, button, who)

    def _pressed(self, button: Button, who: str) -> None:
        person = self._slack.person(who)
        try:
            sent = person.click(button.action, message=button.message, stale=True)
            if button.action in {REJECT, REVIEW} and sent.acked:
                person.submit({"Why do you reject it?": "no"} if button.action == REJECT else {})
        except (NotPossibleError, TimeoutError):
            return  # The card has changed meanwhile, or the form was never opened.

    def _all_buttons(self) -> Iterator[Button]:
        for channel in CHANNELS:
            for message in self._slack.everything(f"#{channel}"):
                for block in message.blocks:
                    for one in block.get("elements", []):
                        if one.get("type") == "button" and one.get("value"):
                            yield Button(
                                message=message, action=one["action_id"], value=one["value"]
                            )


def _is_about(button: Button, run: str, step: str) -> bool:
    """Say whether a button of a card about a failure or a doubt asks about that step."""
    about = read_answer_value(button.value)
    return (about.run, about.step) == (run, step)

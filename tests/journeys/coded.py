"""A company whose refunds ask for a one-time code, and people with authenticator apps."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sandbox.demo.stage import Stage
from sandbox.seen import SeenMessage, SeenView
from tests.journeys.day import Case, Day, approve_label, day_at_work
from workflows.totp import SECRET_BYTES, code_of, step_at

PLAIN = "    remind: [2h, 8h]\n"
SECOND = timedelta(seconds=1)


@contextmanager
def coded_day(home: Path, *, database: str = "") -> Iterator[Day]:
    """Open the company, with a policy that asks for codes where money is refunded."""
    with day_at_work(home, database=database, prepare=_want_codes) as day:
        yield day


def _want_codes(stage: Stage) -> None:
    policy = stage.policy.read_text()
    assert PLAIN in policy
    stage.policy.write_text(policy.replace(PLAIN, f"{PLAIN}    step_up: totp\n"))


class App:
    """Somebody's authenticator app: what they typed into it from a modal."""

    def __init__(self, day: Day, view: SeenView) -> None:
        key = view.words.partition("*Key*")[2].split("`")[1]
        self.written = key
        self.secret = base64.b32decode(key.replace(" ", ""))
        self._day = day
        assert len(self.secret) == SECRET_BYTES

    def code(self) -> str:
        return code_of(self.secret, step_at(self._day.time()))

    def fresh(self) -> str:
        """Wait for the next code, and return it."""
        self._day.time.ahead += 30 * SECOND
        return self.code()

    def wrong(self) -> str:
        """Return six digits that are no code around now."""
        now = step_at(self._day.time())
        near = {code_of(self.secret, now + shift) for shift in range(-2, 3)}
        return next(one for one in ("000000", "111111", "222222") if one not in near)


def begins(case: Case, name: str) -> App:
    """Have somebody open what sets codes up, and type the key into their app."""
    person = case.person(name)
    person.command("/ops totp", channel=case.channel)
    return App(case.day, person.wait_for_view("authenticator app"))


def proves(case: Case, name: str, app: App) -> str:
    """Have them type the first code; return the number that they are shown."""
    person = case.person(name)
    person.submit({"code": app.fresh()})
    view = person.wait_for_view("tell them this number")
    person.close_view()
    return view.words.partition("*Number*")[2].split("`")[1]


def card_of(case: Case, governor: str, number: str) -> SeenMessage:
    """Return the card of codes in a governor's direct messages, once it is there."""
    person = case.person(governor)
    person.wait_for_notification(number)
    return case.slack.workspace.wait_for_message(number, channel=f"@{governor}")


def enrols(case: Case, name: str, *, by: str = "ivan") -> App:
    """Have somebody set codes up and a governor confirm them."""
    app = begins(case, name)
    card = card_of(case, by, proves(case, name, app))
    case.person(by).click("Confirm", message=card)
    case.slack.workspace.wait_for_change(card, "count.")
    return app


def approves(case: Case, name: str, card: SeenMessage, typed: str) -> SeenView | None:
    """Have somebody approve with a code; return the modal if it is still there."""
    person = case.person(name)
    person.click(approve_label(card), message=card)
    person.wait_for_view("Code from your authenticator app")
    person.submit({"code": typed})
    return person.view

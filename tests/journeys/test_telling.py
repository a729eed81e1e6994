"""Approvers are written to if the policy says so, requesters in any case; one message each."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox import faults as fault
from sandbox.demo.stage import Stage
from sandbox.seen import SeenMessage
from tests.journeys.day import Case, Day, day_at_work
from tests.sandbox.payload_checks import complaints_about

WITHOUT, WITH = "defaults: {", "defaults: {nudge: {after: 10m}, "


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    def nudge(stage: Stage) -> None:
        text = stage.policy.read_text()
        assert WITHOUT in text
        stage.policy.write_text(text.replace(WITHOUT, WITH))

    with day_at_work(tmp_path_factory.mktemp("telling"), prepare=nudge) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


def direct(case: Case, name: str) -> list[SeenMessage]:
    """Return what the bot told somebody directly about this case's order or run."""
    run = case.entries()[0].run
    found = case.slack.workspace.everything(f"@{name}")
    return [one for one in found if str(run) in str(one.blocks) or _about(case, one)]


def _about(case: Case, message: SeenMessage) -> bool:
    request = next(one for one in case.entries() if one.kind == "approval.requested")
    return str(request.data["request"]) in str(message.blocks)


def says(case: Case, name: str, words: str) -> SeenMessage:
    def look() -> SeenMessage | None:
        return next((one for one in direct(case, name) if words in one.words), None)

    return case.waits(look, f"a direct message to {name} with {words!r}")


def test_an_approver_is_written_to_once_and_the_message_says_later_what_became_of_it(
    case: Case,
) -> None:
    card = case.card(case.asks())
    case.day.later(timedelta(minutes=11))
    asking = says(case, "ana", "waits for you until")
    assert "Home tab" in asking.words
    assert card.ts.replace(".", "") in str(asking.blocks)
    case.person("ana").click("Open the card", message=asking)

    case.approves("ben", card)

    ended = says(case, "ana", "Approved by @ben")
    assert says(case, "ben", "You approved it.")
    assert ended.ts == asking.ts
    assert "Open the card" not in ended.buttons
    assert [len(direct(case, name)) for name in ("ana", "ben")] == [1, 1]
    assert case.waits(case.outcome, "the end of the run") == "done"


def test_nobody_is_written_to_who_decided_in_time(case: Case) -> None:
    case.approves("ana", case.card(case.asks()))
    case.waits(case.outcome, "the end of the run")
    case.day.later(timedelta(minutes=11))

    assert direct(case, "ana") == []


def test_a_run_goes_on_whatever_becomes_of_such_a_message(case: Case) -> None:
    card = case.card(case.asks())
    case.slack.faults.next(
        "chat.postMessage",
        fault.refuse("restricted_action"),
        times=50,
        when=lambda call: "waits for your decision" in call["text"],
    )
    case.day.later(timedelta(minutes=11))
    case.waits(lambda: _failed(case) or None, "word that it could not be delivered")

    case.approves("ana", card)

    assert case.waits(case.outcome, "the end of the run") == "done"
    assert "approval.withdrawn" not in case.kinds()


def _failed(case: Case) -> bool:
    with case.day.bot.core.store.database.glance() as tx:
        found = tx.run("SELECT count(*) FROM outbox WHERE subject = 'nudge' AND state = 'failed'")
        return bool(found.fetchone()[0])


def test_a_requester_is_told_of_the_approval_and_the_end_in_one_message(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = timedelta(minutes=1)  # However long the run takes to its end.
    monkeypatch.setattr("bot.outbox.TOGETHER_SECONDS", together.total_seconds())
    case.approves("ana", case.card(case.asks()))
    case.waits(case.outcome, "the end of the run")
    case.day.later(together)

    told = says(case, "rita", "ended: done")
    assert "approved by @ana" in told.words
    assert len(direct(case, "rita")) == 1
    assert "ended: done" in case.person("rita").notifications[-1].text


def test_a_requester_is_told_of_an_expiry(case: Case) -> None:
    case.card(case.asks())
    case.day.later(timedelta(hours=25))

    told = says(case, "rita", "expired")
    assert "Nobody decided in time" in told.words


def test_a_requester_is_told_why_their_run_was_taken_back(case: Case) -> None:
    case.card(case.asks())
    run = case.entries()[0].run
    case.person("rita").command(f'/ops cancel {run} "Not needed"', channel=case.channel)

    told = says(case, "rita", "cancelled")
    assert "withdrawn" in told.words
    assert "The run was cancelled." in told.words

"""Traps around a click: at which moment, by whose clock, on its way, and with what in it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from slack_bolt import BoltRequest
from starlette.requests import Request
from starlette.responses import Response

import sandbox.http
from bot.arrival import ARRIVED
from bot.clock import Clock
from bot.directory import Directory
from bot.opening import begin_log
from sandbox import faults as fault
from sandbox.api import Answer
from sandbox.demo.stage import Stage
from sandbox.limits import ACK_SECONDS
from sandbox.seen import SeenMessage
from tests.journeys.company import Scene, calm_stage
from tests.journeys.day import PATIENCE, Case, Time, approve_label, day_at_work

FORM = {"Order": "ord_1001", "Amount in cents": "500", "Reason": "Arrived broken"}
CROWD, SLOW_SECONDS = 20, 0.3


@pytest.fixture
def own_case(tmp_path: Path) -> Iterator[Case]:
    """Give a case on a day of its own, whose clock a test may stop."""
    with day_at_work(tmp_path) as day:
        yield Case(day)


def expires_at(case: Case) -> datetime:
    asked = next(one for one in case.entries() if one.kind == "approval.requested")
    return datetime.fromisoformat(str(asked.data["expires"]))


@pytest.mark.trap(4)
def test_the_last_instant_before_expiry_counts(
    own_case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = own_case.asks()
    card = own_case.card(root)
    last = expires_at(own_case) - timedelta(milliseconds=1)
    with monkeypatch.context() as stopped:
        stopped.setattr(Time, "__call__", lambda _self: last)
        own_case.approves("ana", card)
        own_case.waits(lambda: "approval.granted" in own_case.kinds() or None, "her approval")
        # From here on it goes by again: whatever could not be done at once waits for its moment.
        own_case.day.time.ahead = last - datetime.now(UTC)
    own_case.waits(own_case.outcome, "an end")

    assert own_case.outcome() == "done"
    assert own_case.refunds() == [500]


@pytest.mark.trap(4)
def test_the_moment_of_expiry_itself_is_too_late(
    own_case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = own_case.asks()
    card = own_case.card(root)
    over = expires_at(own_case)
    monkeypatch.setattr(Time, "__call__", lambda _self: over)
    told = own_case.refused("ana", card)

    assert "expired" in told
    assert "approval.granted" not in own_case.kinds()
    assert own_case.refunds() == []


@pytest.mark.trap(4)
@pytest.mark.parametrize("days", [3, -3])
def test_on_a_machine_with_a_wrong_clock_that_of_the_database_counts(
    tmp_path: Path, postgres_url: str, days: int
) -> None:
    before = datetime.now(UTC)
    with wrong_by(days), calm_stage(tmp_path) as stage:
        scene = on_postgres(stage, postgres_url)
        with scene.serving() as bot:
            root = scene.fills("rita", "refund-customer", FORM)
            card = scene.card(root)
            next(one for one in bot.others if isinstance(one, Clock)).look()
            scene.person("ana").click(approve_label(card), message=card)
            scene.ends(root, "done")

    # At midnight it may be asked on the day after this test began.
    until = {f"{one + timedelta(hours=24):%Y-%m-%d}" for one in (before, datetime.now(UTC))}
    assert any(one in card.text for one in until)
    assert [one.amount for one in stage.shop.effects("ord_1001")] == [500]


@pytest.mark.trap(4)
def test_a_machine_whose_clock_is_behind_lets_nobody_decide_what_has_expired(
    tmp_path: Path, postgres_url: str
) -> None:
    with wrong_by(-3), calm_stage(tmp_path) as stage:
        for file in (stage.policy, stage.workflows / "refund-customer.yaml"):
            text = file.read_text().replace("    remind: [2h, 8h]\n", "")
            # A busy machine needs a while until the card can be seen.
            file.write_text(text.replace("expires: 24h", "expires: 10s"))
        scene = on_postgres(stage, postgres_url)
        with scene.serving():
            root = scene.fills("rita", "refund-customer", FORM)
            card = scene.card(root)
            scene.waits(lambda: "Reject" not in scene.now(card).buttons or None, "the end of it")
            scene.person("ana").click(approve_label(card), message=card, stale=True)
            told = scene.person("ana").wait_for_ephemeral("").words

    assert "expired" in told
    assert stage.shop.effects("ord_1001") == []


def wrong_by(days: int) -> time_machine.travel:
    """Put the clock of this machine wrong; that of the Postgres server goes on as it is."""
    return time_machine.travel(datetime.now(UTC) + timedelta(days=days), tick=True)


def on_postgres(stage: Stage, url: str) -> Scene:
    scene = Scene(stage=stage, over="socket", database=url)
    begin_log(scene.settings).database.close()
    return scene


@pytest.mark.trap(5)
def test_a_click_while_nobody_serves_is_seen_to_fail_and_counts_when_repeated(
    scene: Scene,
) -> None:
    with scene.serving():
        root = scene.fills("rita", "refund-customer", FORM)
        card = scene.card(root)
    ana = scene.person("ana")
    lost = ana.click(approve_label(card), message=card)
    warned = [one.kind for one in ana.complaints]
    with scene.serving():
        ana.click(approve_label(card), message=card)
        scene.ends(root, "done")

    assert not lost.acked
    assert warned == ["click"]
    assert [one.amount for one in scene.stage.shop.effects("ord_1001")] == [500]


@pytest.mark.trap(7)
def test_what_somebody_approved_who_had_left_unnoticed_does_not_run(case: Case) -> None:
    """The click may still find them in what is known of groups; the effect looks again."""
    root = case.asks()
    card = case.card(root)
    workspace = case.slack.workspace
    case.refused("petra", card)
    for event in ("subteam_members_changed", "subteam_updated"):
        case.slack.faults.next(event, fault.drop())
    workspace.leave_group("ben", "finance-leads")
    grows_older(case, seconds=30)
    try:
        case.approves("ben", card)
        again = case.card(root, other_than=card)
    finally:
        workspace.join_group("ben", "finance-leads")

    assert case.refunds() == []
    assert "approval.granted" in case.kinds()
    assert "approval.withdrawn" in case.kinds()
    case.approves("ana", again)
    case.ends(root, "done")
    assert case.refunds() == [500]


def grows_older(case: Case, *, seconds: float) -> None:
    """Let what the bot knows of groups be older than it is: too old for an effect."""
    directory = case.day.bot.core.people
    assert isinstance(directory, Directory)
    known = directory._shelf.groups  # noqa: SLF001 - no person could wait so exactly.
    assert known is not None
    known.asked_at -= seconds


@pytest.mark.trap(16)
@pytest.mark.parametrize("hidden", ["", "garbage", "0123.4567", "{request}.00000000", "{settled}"])
def test_a_form_whose_hidden_field_was_changed_decides_nothing(case: Case, hidden: str) -> None:
    other = Case(case.day)
    settled = other.card(other.asks())
    other.approves("ana", settled)
    case.waits(other.outcome, "the end of the other run")
    card = case.card(case.asks())
    ben = case.person("ben")
    ben.click("Reject", message=card)
    form = ben.wait_for_view("")
    request, other_one = form.private_metadata.partition(".")[0], settled.button("Reject")["value"]
    view = case.slack.hub.state.views[form.id]
    view.content["private_metadata"] = hidden.format(request=request, settled=other_one)
    ben.submit({"reason": "Of something else."})
    told = ben.wait_for_view("", other_than=form)
    ben.close_view(everything=True)

    assert told.words
    assert "approval.denied" not in [*case.kinds(), *other.kinds()]
    assert case.now(card).blocks == card.blocks
    assert other.refunds() == [500]


@pytest.mark.trap(17)
@pytest.mark.trap(18)
def test_a_click_that_counted_and_whose_answer_was_lost_may_be_repeated(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = case.asks()
    card = case.card(root)
    engine = case.day.bot.core.engine
    decide = engine.decide

    def decides_and_breaks(ballot: Any) -> None:  # noqa: ANN401 - handed on as it comes.
        decide(ballot)
        raise RuntimeError("after the commit, before the answer")

    ana = case.person("ana")
    with monkeypatch.context() as patch:
        patch.setattr(engine, "decide", decides_and_breaks)
        lost = ana.click(approve_label(card), message=card)
    case.ends(root, "done")
    repeated = ana.click(approve_label(card), message=card, stale=True)

    assert (lost.acked, repeated.acked) == (False, True)
    assert "Reject" not in case.closed(card).buttons
    assert case.kinds().count("approval.granted") == 1
    assert case.refunds() == [500]


@pytest.mark.trap(18)
def test_a_private_answer_that_fails_takes_no_acknowledgement_away(case: Case) -> None:
    card = case.card(case.asks())
    case.slack.faults.next("response_url", fault.server_error(500))
    petra = case.person("petra")
    before = len(petra.ephemerals)
    click = petra.click(approve_label(card), message=card)

    assert click.acked
    assert petra.ephemerals[before:] == []
    assert petra.complaints == []
    assert "not among" in case.refused("petra", card)


@pytest.mark.trap(21)
def test_twenty_clicks_at_once_are_all_answered_while_slack_is_slow(tmp_path: Path) -> None:
    with day_at_work(tmp_path, times=20) as day, answering_together(CROWD):
        case = Case(day)
        card = case.card(case.asks())
        names = [f"crowd{number}" for number in range(CROWD)]
        for name in names:
            case.slack.workspace.add_person(name)
            case.slack.workspace.join(name, case.channel)
        # Nobody of them is known yet, so each click asks Slack who that is.
        case.slack.faults.next("users.info", fault.slow(PATIENCE), times=CROWD)
        people = [case.person(name) for name in names]
        computed = time.process_time()
        clicks = [one.click(approve_label(card), message=card, wait=False) for one in people]
        case.waits(lambda: all(one.settled for one in clicks) or None, "twenty answers")
        computed = time.process_time() - computed
        case.waits(lambda: all(one.ephemerals for one in people) or None, "twenty private words")

        assert {one.outcome for one in clicks} == {"acked"}
        assert all("not among" in one.ephemerals[-1].words for one in people)
        assert "approval.granted" not in case.kinds()
    # None waits for the answer to another. What else the last one waits for is this machine,
    # which may have much to do; what it does for all of them leaves Slack its share of the time.
    assert computed < ACK_SECONDS - SLOW_SECONDS


@contextmanager
def answering_together(count: int) -> Iterator[None]:
    """Have Slack hold back the answers that it is slow to give until `count` calls wait for one."""
    delivered = sandbox.http._delivered  # noqa: SLF001 - the moment between a call and its answer.
    asked = 0
    all_asked = asyncio.Event()

    async def together(request: Request, answer: Answer) -> Response:
        nonlocal asked
        if answer.seconds:
            asked += 1
            if asked == count:
                all_asked.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(all_asked.wait(), timeout=answer.seconds)
        return await delivered(request, replace(answer, seconds=0))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox.http, "_delivered", together)
        yield


@pytest.mark.trap(21)
def test_a_click_that_waited_four_seconds_in_a_queue_counts_and_the_card_shows_it(
    case: Case,
) -> None:
    root = case.asks()
    card = case.card(root)
    case.refused("petra", card)
    sent = case.slack.recorder.deliveries("block_actions")[-1].payload
    ana = {**sent["user"], "id": "U0ANA", "username": "ana", "name": "ana"}
    body = {**sent, "user": ana, "trigger_id": f"late-{case.order}"}
    waited = {ARRIVED: time.monotonic() - 4}
    request = BoltRequest(mode="socket_mode", body=body, context=waited)
    answered = case.day.bot.app.dispatch(request)
    case.ends(root, "done")

    assert answered.status == 200
    assert "Reject" not in case.closed(card).buttons
    assert case.refunds() == [500]


@pytest.mark.trap(22)
@pytest.mark.parametrize("how", ["drop_sockets", "refresh_sockets"])
def test_a_connection_that_ends_during_a_decision_costs_nothing_but_a_second_click(
    case: Case, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    root = case.asks()
    card = case.card(root)
    engine = case.day.bot.core.engine
    decide = engine.decide

    def meanwhile_the_line_ends(ballot: Any) -> Any:  # noqa: ANN401 - handed on as it comes.
        getattr(case.slack, how)()
        return decide(ballot)

    ana = case.person("ana")
    with monkeypatch.context() as patch:
        patch.setattr(engine, "decide", meanwhile_the_line_ends)
        ana.click(approve_label(card), message=card)
    case.ends(root, "done")
    case.slack.wait_for_connection(1, timeout=30)
    case.waits(lambda: repeated(case, card) or None, "an answer over the new line")

    assert case.kinds().count("approval.granted") == 1
    assert case.refunds() == [500]


def repeated(case: Case, card: SeenMessage) -> bool:
    """Press the button once more, as somebody does who saw a warning; say if it was taken up."""
    return case.person("ana").click(approve_label(card), message=card, stale=True).acked

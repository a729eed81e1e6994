"""Approvals that ask for a code: set up, confirmed by a governor, used once, and not by a thief."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from slack_bolt import BoltRequest

from bot.views import request_card
from sandbox.seen import SeenMessage
from storage.history import read_entries
from storage.rebuild import check_projections
from storage.sequencing import sequence_pending
from storage.verify import verify_database
from tests.journeys.coded import App, approves, begins, card_of, coded_day, enrols, proves
from tests.journeys.day import Case, Day, approve_label, day_at_work
from tests.journeys.test_home import home_of, presses
from tests.sandbox.payload_checks import complaints_about
from workflows.entry import Entry


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Give a company whose refunds ask for codes; others judge what was sent."""
    with coded_day(tmp_path_factory.mktemp("coded")) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


@pytest.fixture(autouse=True)
def nobody_has_codes(case: Case) -> Iterator[None]:
    """Take everybody's codes away and let locks run out before the next journey begins."""
    yield
    case.day.time.ahead += timedelta(minutes=20)
    for name, governor in (("ana", "ivan"), ("ben", "ivan"), ("dora", "ivan"), ("ivan", "dora")):
        case.person(governor).command(f"/ops totp reset @{name}", channel=case.channel)


def told(case: Case, *kinds: str) -> list[Entry]:
    memory = case.day.bot.core.memory
    sequence_pending(memory.database, memory.journal.sequencer)
    with memory.database.read() as connection:
        found = read_entries(connection, 0, 100_000)
    return [one for one in found if one.kind in kinds]


def test_codes_are_set_up_confirmed_by_a_governor_and_approve(case: Case) -> None:
    root = case.asks()
    card = case.card(root)
    assert "authenticator app" in card.words
    assert "have none yet" in case.refused("ana", card)
    offered = case.person("ana").wait_for_ephemeral("have none yet")
    case.person("ana").click("Set up codes", message=offered)
    app = App(case.day, case.person("ana").wait_for_view("authenticator app"))
    number = proves(case, "ana", app)
    assert "wait for a governor" in case.refused("ana", card)

    asked = card_of(case, "ivan", number)
    assert asked.buttons == ["Confirm", "Decline"]
    case.person("ana").wait_for_notification("wait for a governor")
    case.person("ivan").click("Confirm", message=asked)
    settled = case.slack.workspace.wait_for_change(asked, "count.")
    assert settled.buttons == []

    assert approves(case, "ana", card, app.fresh()) is None
    case.ends(root, "done")
    (granted,) = [one for one in case.entries() if one.kind == "approval.granted"]
    assert granted.data["step_up"] is True
    assert case.refunds() == [500]


def test_on_home_codes_are_set_up_and_asked_for_too(case: Case) -> None:
    root = case.asks()
    case.card(root)
    home_of(case, "ana", case.order)
    presses(case, "ana", request_card.APPROVE, below=case.order)
    app = App(case.day, case.person("ana").wait_for_view("authenticator app"))
    number = proves(case, "ana", app)
    presses(case, "ana", request_card.APPROVE, below=case.order)
    assert "wait for a governor" in case.person("ana").wait_for_view("Not done").words
    case.person("ana").close_view()
    case.person("ivan").click("Confirm", message=card_of(case, "ivan", number))
    presses(case, "ana", request_card.APPROVE, below=case.order)
    case.person("ana").wait_for_view("Code from your authenticator app")
    case.person("ana").submit({"code": app.fresh()})

    case.ends(root, "done")


def test_a_rejection_needs_no_code(case: Case) -> None:
    root = case.asks()
    ana = case.person("ana")
    ana.click("Reject", message=case.card(root))
    ana.wait_for_view("")
    ana.submit({"reason": "No."})

    case.ends(root, "denied")


def test_a_wrong_code_stays_in_the_modal_and_five_lock(case: Case) -> None:
    app = enrols(case, "ana")
    card = case.card(case.asks())
    view = approves(case, "ana", card, app.wrong())
    for left in (4, 3, 2):
        assert view is not None
        assert f"{left} more of these" in view.errors["code"]
        case.person("ana").submit({"code": app.wrong()})
        view = case.person("ana").view
    case.person("ana").submit({"code": app.wrong()})
    assert "5 wrong codes" in case.person("ana").wait_for_view("5 wrong codes").words
    case.person("ana").close_view()

    locked = approves(case, "ana", card, app.fresh())
    assert locked is not None
    assert "5 wrong codes" in locked.words
    assert "approval.granted" not in case.kinds()
    case.day.time.ahead += timedelta(minutes=15)
    case.person("ana").close_view()
    assert approves(case, "ana", card, app.fresh()) is None


def test_a_wrong_code_can_be_corrected_in_the_same_modal(case: Case) -> None:
    app = enrols(case, "ana")
    root = case.asks()
    assert approves(case, "ana", case.card(root), app.wrong()) is not None
    case.person("ana").submit({"code": app.fresh()})

    case.ends(root, "done")


def test_a_code_that_was_used_is_refused(case: Case) -> None:
    app = enrols(case, "ana")
    first, second = case.card(case.asks()), Case(case.day)
    other = second.card(second.asks())
    typed = app.fresh()
    assert approves(case, "ana", first, typed) is None
    view = approves(second, "ana", other, typed)
    assert view is not None
    assert "used already" in view.errors["code"]

    case.person("ana").submit({"code": app.fresh()})
    second.waits(lambda: "approval.granted" in second.kinds() or None, "the approval")


def test_somebody_who_has_no_right_code_sets_nothing_up(case: Case) -> None:
    app = begins(case, "ben")
    ben = case.person("ben")
    ben.submit({"code": app.wrong()})
    assert ben.view is not None
    assert "not right" in ben.view.errors["code"]
    ben.close_view()

    assert "have none yet" in case.refused("ben", case.card(case.asks()))


def test_a_governor_declines(case: Case) -> None:
    card = card_of(case, "ivan", proves(case, "ana", begins(case, "ana")))
    other = card_of(case, "dora", enrolment_in(card)[:6])
    case.person("ivan").click("Decline", message=card)

    assert "declined" in case.slack.workspace.wait_for_change(card, "do not count").words
    assert case.slack.workspace.wait_for_change(other, "do not count").buttons == []
    assert "have none yet" in case.refused("ana", case.card(case.asks()))


def test_a_stolen_login_neither_gets_codes_nor_takes_any_away(case: Case) -> None:
    """Whoever sits in Ana's account can do all that Ana can do in Slack, and no more."""
    app = enrols(case, "ana")
    thief = begins(case, "ana")
    number = proves(case, "ana", thief)
    root = case.asks()
    card = case.card(root)
    view = approves(case, "ana", card, thief.fresh())
    assert view is not None
    assert "not right" in view.errors["code"]
    case.person("ana").close_view()

    asked = card_of(case, "ivan", number)
    forged = press(case, "ana", card, action="codes.confirm", value=enrolment_in(asked))
    assert "Only a governor" in forged
    case.person("ana").command("/ops totp reset @ana", channel=case.channel)
    case.person("ana").wait_for_ephemeral("Only a governor")

    assert approves(case, "ana", card, app.fresh()) is None
    case.ends(root, "done")


def test_a_stolen_login_lends_nobody_a_voice_that_wants_a_code(case: Case) -> None:
    app, dora = enrols(case, "ana"), enrols(case, "dora")
    ana = case.person("ana")
    ana.command("/ops delegate @dora until in 2 hours", channel=case.channel)
    asked = ana.wait_for_ephemeral("would decide in your place")
    ana.click("Confirm", message=asked)
    assert "also what needs a code from you" in ana.wait_for_view("decides in your place").words
    ana.submit({"code": app.wrong()})
    assert ana.view is not None
    assert "not right" in ana.view.errors["code"]
    card = case.card(case.asks())
    # Who has no voice is not even asked for a code.
    case.person("dora").click(approve_label(card), message=card)
    case.person("dora").wait_for_ephemeral("not among the people")
    assert case.person("dora").view is None

    ana.submit({"code": app.fresh()})
    ana.wait_for_view("You are away until")
    ana.close_view()
    assert approves(case, "dora", card, dora.fresh()) is None
    case.waits(lambda: "approval.granted" in case.kinds() or None, "the approval")
    listed = len(ana.ephemerals)
    ana.command("/ops delegations", channel=case.channel)
    ana.click("I am back", message=ana.ephemerals[listed:][-1])


def test_a_governors_stolen_login_confirms_nothing_of_its_own(case: Case) -> None:
    asked = card_of(case, "dora", proves(case, "ivan", begins(case, "ivan")))
    card = case.card(case.asks())
    told = press(case, "ivan", card, action="codes.confirm", value=enrolment_in(asked))

    assert "another governor" in told
    assert case.now(asked).buttons == ["Confirm", "Decline"]


def test_a_key_that_was_shown_to_another_sets_nothing_up(case: Case) -> None:
    """What a modal carries is the client's word."""
    app = begins(case, "ana")
    ana = case.person("ana").view
    assert ana is not None
    mine = begins(case, "ben")
    case.person("ben").submit({"code": mine.wrong()})
    sent = case.slack.recorder.deliveries("view_submission")[-1].payload
    view = {**sent["view"], "private_metadata": ana.private_metadata}
    view["state"] = {
        "values": {"code": {"code": {"type": "plain_text_input", "value": app.code()}}}
    }
    case.day.bot.app.dispatch(BoltRequest(mode="socket_mode", body={**sent, "view": view}))

    assert "have none yet" in case.refused("ben", case.card(case.asks()))


def enrolment_in(card: SeenMessage) -> str:
    return str(card.button("Confirm")["value"])


def press(case: Case, name: str, card: SeenMessage, *, action: str, value: str) -> str:
    """Have somebody's client send a click on a button it was never shown; return the refusal."""
    person = case.person(name)
    person.click(approve_label(card), message=card)
    if person.view is not None:
        person.close_view()
    before = len(person.ephemerals)
    sent = case.slack.recorder.deliveries("block_actions")[-1].payload
    forged = {**sent["actions"][0], "action_id": action, "value": value}
    body = {**sent, "actions": [forged], "trigger_id": f"{name}-{case.order}"}
    case.day.bot.app.dispatch(BoltRequest(mode="socket_mode", body=body))
    return case.waits(lambda: next(iter(person.ephemerals[before:]), None), "a refusal").words


def test_a_policy_that_asks_for_no_codes_makes_no_key(tmp_path: Path) -> None:
    with day_at_work(tmp_path) as day:
        case = Case(day)
        case.person("ana").command("/ops totp", channel=case.channel)
        case.person("ana").wait_for_ephemeral("Nothing here asks for codes")
        root = case.asks()
        case.approves("ana", case.card(root))
        case.ends(root, "done")

        assert not list((day.stage.home / "keys").glob("secrets*"))


def test_codes_approve_on_postgres_too(tmp_path: Path, postgres_url: str) -> None:
    with coded_day(tmp_path, database=postgres_url) as day:
        case = Case(day)
        app = enrols(case, "ana")
        root = case.asks()
        assert approves(case, "ana", case.card(root), app.wrong()) is not None
        case.person("ana").submit({"code": app.fresh()})
        case.ends(root, "done")

        assert [one.data["why"] for one in told(case, "step_up.refused")] == ["wrong"]
        assert [str(one) for one in check_projections(day.bot.core.store.database)] == []
        assert case.refunds() == [500]


def test_what_all_of_this_left_behind_verifies(case: Case) -> None:
    core = case.day.bot.core
    report = verify_database(
        core.settings.database_url, [core.memory.vkey], now=case.day.time, processes=1
    )
    semantics = [one for one in report.semantics if one[0] != "run-without-end"]

    assert [str(one) for one in check_projections(core.memory.database)] == []
    assert (report.failures, semantics) == ([], [])

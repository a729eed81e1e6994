"""The Home tab: what waits for a person is decided there, and it follows what happens."""

import threading
from collections.abc import Iterator

import pytest

from bot.views import (
    app_home,
    delegations,
    doubt_card,
    exception_card,
    question_card,
    request_card,
    review_card,
    schedules,
)
from sandbox import faults as fault
from sandbox.errors import NotPossibleError
from sandbox.seen import SeenMessage, SeenView
from sandbox.targets.shop_faults import Fault
from storage.listing import Wanted, list_runs
from tests.journeys.company import PATIENCE
from tests.journeys.day import Case, Day, day_at_work
from tests.journeys.test_delegation import goes, soon
from tests.sandbox.payload_checks import complaints_about
from workflows.actions.base import Happened
from workflows.people import PersonId
from workflows.run import Status

ASKING = """
workflow: ask-finance
title: Ask finance
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
steps:
  - id: which
    ask:
      of: ["@finance-leads"]
      question: "How many orders are to be looked at?"
      fields: {most: {type: integer, minimum: 1, maximum: 3, title: Orders}}
      expires: 1h
"""
GLASS = """
break_glass: {people: ["@platform"], by: ["@governors"], review: 24h}
"""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    home = tmp_path_factory.mktemp("home")
    with day_at_work(home, workflow=ASKING, more_policy=GLASS) as open_day:
        yield open_day
        assert complaints_about(open_day.stage.slack.recorder) == []


@pytest.fixture(autouse=True)
def nothing_is_left_for_the_next_journey(day: Day) -> Iterator[None]:
    """Cancel what is not decided, so that each journey finds what it asks on the first page."""
    yield
    core = day.bot.core
    for run in list_runs(core.memory.database, Wanted(statuses=frozenset({Status.WAITING}))):
        core.engine.cancel(run.id, person=PersonId(run.requester), reason="the journey is over")


def home_of(case: Case, name: str, words: str = "Waiting for you") -> SeenView:
    """Have somebody open their Home; return it once these words stand in it."""
    person = case.person(name)
    person.open_home()
    return person.wait_for_home(words)


def row_below(home: SeenView, words: str, action_id: str) -> str:
    """Return the first row of buttons after these words that has that button."""
    blocks = list(home.blocks)
    first = next(at for at, one in enumerate(blocks) if words in str(one))
    return str(next(one for one in blocks[first:] if action_id in str(one))["block_id"])


def presses(
    case: Case, name: str, action_id: str, *, below: str, stale: SeenView | None = None
) -> None:
    """Have somebody press a button on their Home, be it one they saw some time ago."""
    person = case.person(name)

    def press() -> bool | None:
        home = stale or person.home
        assert home is not None
        row = row_below(home, below, action_id)
        try:
            person.click(action_id, home=home, block_id=row, stale=stale is not None)
        except NotPossibleError:
            if stale is not None or person.home == home:
                raise
            return None  # It was drawn anew under their finger.
        return True

    case.waits(press, f"{name} at the button {action_id}")


def part(home: SeenView, title: str) -> str:
    """Return what stands on Home below the title of a section, and above the next."""
    titles = [*app_home.TITLES.values(), ""]
    following = titles[titles.index(title) + 1]
    below = home.words.partition(title)[2]
    return below.partition(f"\n{following}\n")[0] if following else below


def follows(case: Case, name: str, title: str, *, has: str = "", lacks: str = "") -> SeenView:
    """Return somebody's Home, not opened again, once a section has or lacks these words."""

    def look() -> SeenView | None:
        home = case.person(name).home
        told = part(home, title) if home is not None else ""
        return home if has in told and not (lacks and lacks in told) else None

    return case.waits(look, f"{title} of {name} with {has!r} and without {lacks!r}")


WAITING, RUNS, OWNED, SCHEDULES, DELEGATIONS = app_home.TITLES.values()


def turned(case: Case, name: str, page: SeenView) -> SeenView:
    """Return somebody's Home once it shows another page of what waits than it did."""

    def look() -> SeenView | None:
        home = case.person(name).home
        is_other = home is not None and part(home, WAITING) != part(page, WAITING)
        return home if is_other else None

    return case.waits(look, f"another page of Home for {name}")


def openings_are_known(case: Case, name: str) -> bool:
    """Whether the bot has noted each time that somebody opened their Home."""
    user = case.person(name).id
    openings = case.slack.recorder.deliveries("app_home_opened")
    told = {one.payload["event_id"] for one in openings if one.payload["event"]["user"] == user}
    with case.day.bot.core.store.database.glance() as tx:
        known = {row[0] for row in tx.run("SELECT key FROM delivery").fetchall()}
    return told <= known


def asks(case: Case) -> SeenMessage:
    """Have Rita ask for a refund; return its card."""
    return case.card(case.asks())


def test_an_approver_decides_on_their_home_and_the_run_goes_on(case: Case) -> None:
    card = asks(case)
    home_of(case, "ana", case.order)

    presses(case, "ana", request_card.APPROVE, below=case.order)

    home = follows(case, "ana", WAITING, has="You approved", lacks=case.order)
    assert case.waits(case.outcome, "the end of the run") == "done"
    assert case.refunds() == [500]
    assert "Reject" not in case.closed(card).buttons
    assert case.order not in part(home, WAITING)


def test_a_home_follows_new_requests_and_those_that_others_decide(case: Case) -> None:
    home_of(case, "ana")
    home_of(case, "ben")
    card = asks(case)
    follows(case, "ana", WAITING, has=case.order)
    follows(case, "ben", WAITING, has=case.order)

    case.approves("ben", card)

    follows(case, "ana", WAITING, lacks=case.order)
    follows(case, "ben", WAITING, has="You approved", lacks=case.order)


def test_what_waits_on_home_leads_to_its_card(case: Case) -> None:
    home_of(case, "ana")
    card = asks(case)

    def look() -> SeenView | None:
        home = case.person("ana").home
        return home if home and card.ts.replace(".", "") in str(home.blocks) else None

    assert case.waits(look, "a link to the card")


def test_a_rejection_on_home_asks_for_the_reason_and_the_requester_is_told_it(case: Case) -> None:
    asks(case)
    home_of(case, "ana", case.order)

    presses(case, "ana", request_card.REJECT, below=case.order)
    case.person("ana").wait_for_view("Why do you reject it?")
    case.person("ana").submit({"reason": f"{case.order} was replaced."})

    follows(case, "ana", WAITING, has="You rejected", lacks="Order: " + case.order)
    assert case.waits(case.outcome, "the end of the run") == "denied"
    assert case.person("rita").wait_for_notification(f"{case.order} was replaced.")


def test_everything_can_be_read_and_approved_behind_review_on_home(case: Case) -> None:
    asks(case)
    home_of(case, "ana", case.order)

    presses(case, "ana", request_card.REVIEW, below=case.order)
    case.person("ana").wait_for_view(case.order)
    case.person("ana").submit({})

    assert case.waits(case.outcome, "the end of the run") == "done"


def test_nobody_sees_on_their_home_what_does_not_wait_for_them(case: Case) -> None:
    asks(case)
    homes = [home_of(case, name) for name in ("rita", "dora", "petra", "ivan")]

    assert [case.order in part(one, WAITING) for one in homes] == [False] * 4
    assert [case.order in one.words for one in homes] == [False] * 4


def test_a_guest_is_told_why_nothing_can_wait_for_them(case: Case) -> None:
    assert "guests do not decide" in part(home_of(case, "gil"), WAITING)


def test_somebody_of_another_workspace_has_no_home_here(case: Case) -> None:
    case.person("connie").open_home()
    home_of(case, "sam")

    assert case.person("connie").home is None


def test_looking_at_the_messages_publishes_no_home(case: Case) -> None:
    case.person("petra").open_home(tab="messages")
    before = len(case.slack.recorder.calls("views.publish"))
    home_of(case, "ivan")
    users = [one.arguments["user_id"] for one in case.slack.recorder.calls("views.publish")]

    assert "U0PETRA" not in users[before:]


def test_whoever_is_refused_on_home_is_told_why_in_a_modal_and_sees_how_it_is_now(
    case: Case,
) -> None:
    card = asks(case)
    seen = home_of(case, "ana", case.order)
    case.approves("ben", card)
    case.waits(case.outcome, "the end of the run")
    follows(case, "ana", WAITING, lacks=case.order)

    presses(case, "ana", request_card.APPROVE, below=case.order, stale=seen)

    told = case.person("ana").wait_for_view("already approved")
    case.person("ana").close_view()
    assert told.title == "Not done"
    assert case.refunds() == [500]


def test_who_leaves_the_group_sees_the_request_go_and_cannot_decide_it(case: Case) -> None:
    asks(case)
    seen = home_of(case, "ben", case.order)
    case.slack.workspace.leave_group("ben", "finance-leads")
    try:
        follows(case, "ben", WAITING, lacks=case.order)
        presses(case, "ben", request_card.APPROVE, below=case.order, stale=seen)
        case.person("ben").wait_for_view("no longer belong")
        case.person("ben").close_view()
    finally:
        case.slack.workspace.join_group("ben", "finance-leads")

    follows(case, "ben", WAITING, has=case.order)
    assert "approval.granted" not in case.kinds()


def test_a_requester_follows_their_runs(case: Case) -> None:
    home_of(case, "rita")
    card = asks(case)
    follows(case, "rita", RUNS, has="waiting")
    link = case.roots()[0].ts.replace(".", "")
    case.waits(lambda: link in str(_home(case, "rita").blocks) or None, "a link to the thread")

    case.approves("ana", card)
    case.waits(case.outcome, "the end of the run")

    ended = follows(case, "rita", RUNS, has="done")
    assert "Ended last" in part(ended, RUNS)


def test_an_owner_settles_what_stopped_on_their_home(case: Case) -> None:
    home_of(case, "omar", "You answer for")
    case.day.stage.shop.faults.switch_on(Fault.ERROR, times=1000)
    case.asks()
    case.in_time(lambda: "Abort" in part(_home(case, "omar"), OWNED) or None, "an exception")
    case.day.stage.shop.faults.clear()

    presses(case, "omar", exception_card.ABORT, below="What I own")

    assert case.waits(case.outcome, "the end of the run") == "aborted"
    follows(case, "omar", OWNED, has="Nothing has stopped")


def test_a_doubt_is_for_its_owner_once_the_bot_could_not_find_out_by_itself(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_looked = threading.Event()

    def looks(*_: object) -> Happened:
        assert has_looked.wait(PATIENCE)
        return Happened.UNKNOWN

    monkeypatch.setattr("workflows.settling._found_out", looks)
    home_of(case, "omar", "You answer for")
    case.day.stage.shop.faults.switch_on(Fault.AFTER)
    root = case.asks()
    case.approves("ana", case.card(root))
    before = follows(case, "omar", OWNED, has="I look whether it happened")
    has_looked.set()
    after = follows(case, "omar", OWNED, has="It happened")
    presses(case, "omar", doubt_card.HAPPENED, below="What I own")
    case.ends(root, "done")

    assert "It happened" not in part(before, OWNED)
    assert "I look" not in part(after, OWNED)


def _home(case: Case, name: str) -> SeenView:
    home = case.person(name).home
    assert home is not None
    return home


def test_a_question_is_answered_on_home(case: Case) -> None:
    home_of(case, "ben")
    case.person("rita").command("/ops run ask-finance", channel=case.channel)
    follows(case, "ben", WAITING, has="How many orders")

    presses(case, "ben", question_card.ANSWER, below="How many orders")
    case.person("ben").wait_for_view("Orders")
    case.person("ben").submit({"Orders": "2"})

    follows(case, "ben", WAITING, lacks="How many orders")


def test_a_broken_glass_is_reviewed_on_home_and_the_requester_hears_of_it(case: Case) -> None:
    home_of(case, "ivan")
    home_of(case, "ana")
    card = asks(case)
    follows(case, "ana", WAITING, has=case.order)
    case.person("petra").click("Break glass", message=card)
    case.person("petra").wait_for_view("Why can it not wait?")
    case.person("petra").submit({"reason": f"{case.order} is urgent."})
    follows(case, "ana", WAITING, lacks=case.order)
    follows(case, "ivan", WAITING, has=f"{case.order} is urgent.")

    presses(case, "ivan", review_card.RIGHT, below=f"{case.order} is urgent.")
    case.person("ivan").wait_for_view("Anything to add?")
    case.person("ivan").submit({})

    follows(case, "ivan", WAITING, lacks=case.order)
    alone = "let through with broken glass by @petra"

    def told() -> bool:
        return any(alone in one.words for one in case.slack.workspace.messages("@rita"))

    assert case.waits(lambda: told() or None, "word to the requester")


def test_a_schedule_is_paused_and_resumed_on_home(case: Case) -> None:
    home_of(case, "petra")
    follows(case, "petra", SCHEDULES, has="Nightly check", lacks="paused")

    presses(case, "petra", schedules.SCHEDULE_PAUSE, below=SCHEDULES)
    follows(case, "petra", SCHEDULES, has="paused")
    presses(case, "petra", schedules.SCHEDULE_RESUME, below=SCHEDULES)

    follows(case, "petra", SCHEDULES, has="next", lacks="paused")


def test_what_does_not_fit_on_home_is_behind_a_button(case: Case) -> None:
    many = [Case(case.day) for _ in range(7)]
    for one in many:
        asks(one)
    home_of(case, "ana", many[0].order)
    first = follows(case, "ana", WAITING, has="Show more")

    second = first
    while many[-1].order not in part(second, WAITING):  # Others may wait as well.
        presses(case, "ana", app_home.HOME_MORE, below=WAITING)
        second = turned(case, "ana", second)
    presses(case, "ana", app_home.HOME_BACK, below=WAITING)
    follows(case, "ana", WAITING, has=many[0].order, lacks=many[-1].order)

    assert many[-1].order not in part(first, WAITING)
    assert many[0].order not in part(second, WAITING)
    assert "things wait" in part(second, WAITING)


def test_who_may_decide_nothing_any_more_is_not_told_that_many_things_wait(case: Case) -> None:
    many = [Case(case.day) for _ in range(7)]
    for one in many:
        asks(one)
    home_of(case, "ben", many[0].order)
    follows(case, "ben", WAITING, has="things wait")
    case.slack.workspace.leave_group("ben", "finance-leads")
    try:
        left = follows(case, "ben", WAITING, lacks=many[0].order)
    finally:
        case.slack.workspace.join_group("ben", "finance-leads")

    assert "Nothing waits for you" in part(left, WAITING)
    assert "things wait" not in part(left, WAITING)


def test_a_page_somebody_turned_to_outlives_an_opening_that_is_told_late(case: Case) -> None:
    many = [Case(case.day) for _ in range(6)]
    for one in many:
        asks(one)
    home_of(case, "ana", many[0].order)
    first = follows(case, "ana", WAITING, has="Show more")
    case.slack.faults.next("app_home_opened", fault.slow(1.0))
    case.person("ana").open_home()

    presses(case, "ana", app_home.HOME_MORE, below=WAITING)
    turned(case, "ana", first)
    case.waits(lambda: openings_are_known(case, "ana") or None, "the late opening to be noted")
    homes = case.day.bot.core.store.homes
    case.waits(lambda: homes.next_moment() is None or None, "every Home to be drawn")

    assert many[0].order not in part(_home(case, "ana"), WAITING)


def test_what_somebody_chose_to_be_told_is_all_they_are_told(case: Case) -> None:
    home_of(case, "sam")
    case.person("sam").click(app_home.HOME_SETTINGS, home=_home(case, "sam"))
    case.person("sam").wait_for_view("Tell me directly")
    case.person("sam").submit({"Tell me directly about runs I asked for": "trouble"})
    for verdict in ("approve", "reject"):
        one = Case(case.day)
        card = one.card(one.asks("sam"))
        if verdict == "approve":
            one.approves("ana", card)
        else:
            one.person("ana").click("Reject", message=card)
            one.person("ana").wait_for_view("Why")
            one.person("ana").submit({"reason": f"Not {one.order}."})
        one.waits(one.outcome, "the end of the run")

    told = one.person("sam").wait_for_notification(f"Not {one.order}.")
    direct = case.slack.workspace.messages("@sam")
    assert told
    assert ["ended: done" in message.words for message in direct] == [False] * len(direct)


def test_a_home_says_who_is_away_and_whoever_stands_in_decides_on_theirs(case: Case) -> None:
    home_of(case, "dora")
    home_of(case, "ben")
    goes(case, "ben", f"/ops delegate @dora until {soon(case, hours=30)}")
    follows(case, "ben", DELEGATIONS, has="@dora decides in your place")
    asks(case)
    home = follows(case, "dora", WAITING, has=f"Order: {case.order}")
    assert "In the place of @ben · 0 of 1 approval" in part(home, WAITING)
    assert "You decide in the place of @ben until" in part(home, DELEGATIONS)

    presses(case, "dora", request_card.APPROVE, below=case.order)

    assert case.waits(case.outcome, "the end of the run") == "done"
    follows(case, "dora", WAITING, has="You approved", lacks=f"Order: {case.order}")
    presses(case, "ben", delegations.DELEGATION_END, below="You are away until")
    case.waits(lambda: DELEGATIONS not in _home(case, "ben").words or None, "the end of it")

"""Whatever people, services and definitions say, Slack takes what we draw of it.

Each payload is judged by our own limit table, by slack_sdk's models, and by the sandbox's
rules, which were written apart from both.
"""

# ruff: noqa: ANN401 - the strategies here are found by type.

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import limits
from bot.views.app_home import (
    MOST,
    DelegationLine,
    HomeShown,
    Section,
    delegations,
    home_view,
    shelf_of,
)
from bot.views.app_home_items import (
    RequestItem,
    Said,
    doubt_item,
    question_item,
    request_item,
    review_item,
    run_item,
    said_words,
    trouble_item,
)
from bot.views.catalog import HISTORY_PAGE, ChangeLine, change_list
from bot.views.daily_head import HeadShown, daily_head
from bot.views.digest import details, digest, plainer
from bot.views.digest_values import DayFigures, DigestShown, HealthFigures, WorkflowFigures
from bot.views.doubt_card import DoubtCard, doubt_card
from bot.views.exception_card import (
    DoneEffect,
    ExceptionCard,
    Standing,
    Tried,
    exception_card,
)
from bot.views.glass_modals import break_modal
from bot.views.glass_modals import review_modal as finding_modal
from bot.views.health import HealthShown, health_page
from bot.views.help_page import Startable, help_page, misread_page
from bot.views.home_settings import settings_modal
from bot.views.lists import (
    FOUND_PAGE,
    ApprovalLine,
    Found,
    FoundPage,
    QueueLine,
    RunLine,
    RunShown,
    WorkflowLine,
    approval_list,
    found_list,
    queue_list,
    run_list,
    run_shown,
    workflow_list,
)
from bot.views.notice import notice, posted
from bot.views.nudge import Nudge, nudge
from bot.views.outcome import RunOutcome, outcome
from bot.views.pieces import Rendered
from bot.views.question_card import QuestionCard, question_card
from bot.views.request_card import REVIEW, request_card
from bot.views.request_modals import approve_modal, reject_modal, review_modal
from bot.views.request_values import Absence, Preview, RequestCard, Vote
from bot.views.review_card import ReviewCard, reminder, review_card
from bot.views.run_root import RunRoot, StepLine, run_root
from bot.views.schedules import ScheduleLine, schedule_item
from bot.views.step_reply import StepReply, step_reply
from bot.views.thread_summary import Line, ThreadShown, shared_summary, summary_modal
from bot.wording import Who, escape
from sandbox.rules.blocks import check_message_blocks
from sandbox.rules.views import check_view
from storage.home_values import Told
from tests.bot.payload_checks import (
    buttons_of,
    faults_of_message,
    faults_of_view,
    shown_texts,
    units,
)
from tests.bot.shown import (
    NOON,
    a_digest,
    a_doubt,
    a_head,
    a_receipt,
    a_root,
    a_trouble,
    preview_json,
)
from workflows.gate import Outcome, Verdict
from workflows.glass import Finding
from workflows.run import Phase, Status

EVIL = [
    "",
    " ",
    "<!channel> <@U0ANA> <!subteam^S0X> <https://evil.example|bank> #ops @here",
    "*Approved* by `Ana` :tada: ```code``` ~no~ _yes_\n> quoted",
    "&" * 5_000,
    "<" * 4_000,
    "🎉" * 4_000,
    "line\n" * 2_000,
    "one long word " * 900,
    "\u202e\x00\x02\x03\ud800\ufeff",
    "https://acme.example/p1",
    "https://acme.example/" + "p" * 4_000,
]
TEXTS = st.sampled_from(EVIL) | st.text(max_size=80)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone.
PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(0, 10**9),
    bool: st.booleans(),
    datetime: MOMENTS,
    date: st.dates(),
    timedelta: st.timedeltas(timedelta(0), timedelta(days=400)),
}
COUNTS = st.integers(1, 99)
IDS = st.text("abcdef0123456789_", min_size=1, max_size=40)


@cache
def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of a type that views are drawn from."""
    if kind in PLAIN:
        return PLAIN[kind]
    if kind is Preview:
        return previews()
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.builds(
            typing.cast("Any", kind), **{name: any_of(one) for name, one in hints.items()}
        )
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    return _any_generic(kind)


def _any_generic(kind: Any) -> st.SearchStrategy[Any]:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(st.none() if one is type(None) else any_of(one) for one in inner)
    if origin is tuple and Ellipsis not in inner:
        return st.tuples(*(any_of(one) for one in inner))
    if origin is tuple or origin is Sequence:
        # Few different ones, but many: that is what breaks a budget.
        few = st.lists(any_of(inner[0]), max_size=3)
        return st.tuples(few, st.sampled_from([1, 1, 1, 60])).map(
            lambda made: tuple(made[0] * made[1])
        )
    if origin is Mapping:
        return st.dictionaries(TEXTS, any_of(inner[1]), max_size=3)
    raise TypeError(kind)


@st.composite
def previews(draw: st.DrawFn) -> Preview:
    many = st.sampled_from([1, 1, 30])
    rows = st.lists(TEXTS, max_size=4)
    stages = st.lists(
        st.fixed_dictionaries(
            {
                "from": st.lists(TEXTS, min_size=1, max_size=20),
                "approve": st.integers(1, 90),
                "deny": st.integers(1, 9),
                "turn": st.none() | st.integers(0, 2),
            }
        ),
        min_size=1,
        max_size=8,
    )
    lines = draw(rows) * draw(many)
    person = st.fixed_dictionaries({"id": TEXTS, "name": TEXTS})
    left_out = st.fixed_dictionaries({"id": TEXTS, "name": TEXTS, "duty": TEXTS})
    escalation = st.fixed_dictionaries(
        {"at": st.just("2026-03-02T09:00:00.000Z"), "to": st.lists(TEXTS, min_size=1, max_size=20)}
    )
    return Preview.read(
        preview_json(
            run=draw(IDS),
            request=draw(IDS),
            digest=draw(IDS),
            workflow=draw(TEXTS),
            title=draw(TEXTS),
            step=draw(TEXTS),
            effect=draw(TEXTS),
            headline=draw(TEXTS),
            lines=lines,
            lines_total=len(lines) + draw(st.sampled_from([0, 0, 5])),
            inputs=[[draw(TEXTS), one] for one in draw(rows)] * draw(many),
            requester=draw(st.none() | person),
            rules=draw(rows) * draw(many),
            stages=draw(stages),
            needs_reason=draw(st.booleans()),
            changed=draw(rows) * draw(many),
            reason_hints=draw(rows) * draw(many),
            hours=draw(rows) * draw(many),
            escalate=draw(st.lists(escalation, max_size=5)),
            left_out=draw(st.lists(left_out, max_size=100)),
            auto=draw(st.lists(st.tuples(TEXTS, TEXTS), max_size=9)),
            **draw(limited()),
        )
    )


@st.composite
def limited(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what limits an effect: budgets, a freeze, a denial, the glass."""
    at, names = "2026-03-02T09:00:00.000Z", st.lists(TEXTS, min_size=1, max_size=20)
    person = st.fixed_dictionaries({"id": TEXTS, "name": TEXTS})
    freeze = st.fixed_dictionaries({"name": TEXTS, "until": st.just(at)})
    denied = st.fixed_dictionaries(
        {"by": person, "at": st.just(at), "reason": TEXTS, "workflow": TEXTS, "count": COUNTS}
    )
    glass = st.fixed_dictionaries({"from": names, "by": names, "review": TEXTS})
    return {
        "budgets": draw(st.lists(TEXTS, max_size=20)),
        "freeze": draw(st.none() | freeze),
        "denied": draw(st.none() | denied),
        "glass": draw(st.none() | glass),
    }


def judged(message: Rendered) -> dict[str, Any]:
    payload = message.payload
    assert faults_of_message(payload) == []
    check_message_blocks(payload["blocks"])
    return payload


def judged_view(view: Any, kind: str = "modal") -> dict[str, Any]:
    shown: dict[str, Any] = view.to_dict()
    assert faults_of_view(shown) == []
    check_view(shown, kind=kind)
    return shown


MESSAGES: list[tuple[type, Callable[[Any], Rendered]]] = [
    (HeadShown, daily_head),
    (RequestCard, request_card),
    (DoubtCard, doubt_card),
    (ReviewCard, review_card),
    (ReviewCard, lambda card: reminder(card, card.thread)),
    (ExceptionCard, exception_card),
    (QuestionCard, question_card),
    (RunRoot, run_root),
    (RunOutcome, outcome),
    (Nudge, nudge),
    (DigestShown, digest),
    (HealthShown, health_page),
    (RunShown, run_shown),
]
LISTS: list[tuple[type, Callable[[Any, str], Rendered]]] = [
    (RunLine, lambda items, words: run_list(items, command=words)),
    (ApprovalLine, lambda items, _: approval_list(items)),
    (QueueLine, lambda items, words: queue_list(items, command=words)),
    (WorkflowLine, lambda items, _: workflow_list(items)),
    (
        ChangeLine,
        lambda items, words: change_list(words, items[:HISTORY_PAGE], page=2, total=9_999),
    ),
    (
        Found,
        lambda items, words: found_list(
            words, FoundPage(found=items[:FOUND_PAGE], total=9_999, page=2, is_cut=True)
        ),
    ),
]
patiently = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize(
    ("kind", "draw_it"), MESSAGES, ids=lambda one: getattr(one, "__name__", "")
)
@patiently
@given(data=st.data())
def test_slack_takes_every_message(
    kind: type, draw_it: Callable[[Any], Rendered], data: st.DataObject
) -> None:
    judged(draw_it(data.draw(any_of(kind))))


@pytest.mark.parametrize(("kind", "draw_it"), LISTS, ids=lambda one: getattr(one, "__name__", ""))
@patiently
@given(data=st.data())
def test_slack_takes_every_list(
    kind: type, draw_it: Callable[[Any, str], Rendered], data: st.DataObject
) -> None:
    items = data.draw(st.lists(any_of(kind), max_size=3)) * data.draw(st.sampled_from([1, 40]))

    judged(draw_it(items, data.draw(TEXTS)))


ITEMS: list[tuple[type, Section, Callable[[Any, str], Any]]] = [
    (RequestItem, Section.WAITING, lambda one, _: request_item(one)),
    (QuestionCard, Section.WAITING, question_item),
    (RunLine, Section.RUNS, lambda one, _: run_item(one)),
    (ExceptionCard, Section.OWNED, trouble_item),
    (DoubtCard, Section.OWNED, partial(doubt_item, is_asked=True)),
    (DoubtCard, Section.OWNED, partial(doubt_item, is_asked=False)),
    (ScheduleLine, Section.SCHEDULES, lambda one, _: schedule_item(one)),
]


@pytest.mark.parametrize(
    ("kind", "where", "draw_it"), ITEMS, ids=lambda one: getattr(one, "__name__", "")
)
@patiently
@given(data=st.data())
def test_slack_takes_every_home(
    kind: type, where: Section, draw_it: Callable[[Any, str], Any], data: st.DataObject
) -> None:
    found = data.draw(st.lists(any_of(kind), max_size=3)) * data.draw(st.sampled_from([1, 9]))
    words = data.draw(TEXTS)
    shelf = shelf_of(where, [draw_it(one, words) for one in found], skip=len(words) % 3)
    shown = HomeShown(
        at=NOON,
        command="/ops",
        **{where.value: shelf},
        reviews=[review_item(data.draw(any_of(ReviewCard)), words)] * (len(found) % 3),
        said=said_words(data.draw(any_of(Said))),
        why_never=words if len(found) == 1 else "",
        owns=[words] * len(found),
        delegations=delegations([DelegationLine(words=escape(words, 500))] * len(found)),
        is_partial=bool(found),
    )

    judged_view(home_view(shown), "home")


@pytest.mark.parametrize("told", list(Told))
def test_slack_takes_the_settings_of_a_home(told: Told) -> None:
    judged_view(settings_modal(told))


@patiently
@given(any_of(DigestShown))
def test_slack_takes_every_fallback_and_detail_of_a_digest(shown: DigestShown) -> None:
    for message in (*plainer(shown), *details(shown)):
        judged(message)


@patiently
@given(previews(), st.integers(-1, 4))
def test_slack_takes_every_modal_of_a_request(shown: Preview, page: int) -> None:
    for view in (
        review_modal(shown, page=page),
        approve_modal(shown),
        reject_modal(shown),
        break_modal(shown),
        finding_modal("e1", Finding.NOT_RIGHT, what=shown.title),
    ):
        judged_view(view)


@patiently
@given(previews())
def test_an_approval_is_offered_only_where_everything_was_shown(shown: Preview) -> None:
    payload = judged(request_card(RequestCard(preview=shown)))

    if shown.hidden:
        assert REVIEW in buttons_of(payload)
        assert review_modal(shown, page=10_000).submit is None


@patiently
@given(
    st.sampled_from(["action.executed", "action.failed", "decision.made", "odd"]),
    st.dictionaries(st.sampled_from(["step", "error_class", "decision", "attempt"]), TEXTS),
    TEXTS,
)
def test_slack_takes_every_reply(kind: str, data: dict[str, Any], words: str) -> None:
    judged(step_reply(StepReply(kind=kind, data=data, words=words)))


@patiently
@given(TEXTS, TEXTS)
def test_slack_takes_every_notice(text: str, about: str) -> None:
    judged(posted(text, about=about))
    judged(notice(escape(text), about=about))
    judged(misread_page(text, usage=about, meant=about, name="/ops"))
    judged(help_page(startable=[Startable(name=text, title=about, example=text)] * 20))


@patiently
@given(TEXTS, TEXTS, TEXTS)
def test_slack_takes_every_summary_of_a_thread(name: str, text: str, link: str) -> None:
    line = Line(author=name, text=text, at=NOON, link=link)
    shown = ThreadShown(key="k", story=(text,) * 12, lines=(line,) * 8, messages=8, people=1)
    judged(shared_summary(shown, by=Who(name=name)))
    judged_view(summary_modal(shown))


LONG = "Wide words & <signs> " * 300
FULLEST = Preview.read(
    preview_json(
        title=LONG,
        workflow=LONG,
        step=LONG,
        headline="x" * 599,
        lines=["l" * 199] * 90,
        inputs=[["i" * 60, "v" * 60]] * 25,
        changed=["c" * 199] * 20,
        rules=[LONG] * 9,
        requester={"id": "os:x", "name": LONG},
        stages=[{"from": [LONG] * 9, "approve": 9, "deny": 9}] * 9,
        needs_reason=True,
    )
)


@pytest.mark.trap(27)
@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_fullest_card_fits_one_message(outcome: Outcome) -> None:
    who = Who(name=LONG)
    vote = Vote(who=who, verdict=Verdict.DENY, at=NOON, comment=LONG, stands_for=who)
    card = RequestCard(
        preview=FULLEST,
        outcome=outcome,
        votes=[vote] * 99,
        absences=[Absence(who=who, until=NOON, stand_in=who)] * 99,
        deserted_until=NOON,
        reason=LONG,
        settled_at=NOON,
        receipt=a_receipt(),
        thread="https://acme.example/" + "p" * 200,
    )

    judged(request_card(card))


def test_the_fullest_root_and_exception_fit_one_message() -> None:
    steps = (StepLine(name=LONG, phase=Phase.APPROVED, note=LONG),) * 99
    root = a_root(title=LONG, steps=steps, waits_for=LONG, requester=Who(name=LONG))
    people = (Who(name=LONG),) * 9
    done = (DoneEffect(name=LONG, what=LONG, standing=Standing.UNDOABLE),) * 99
    tried = (Tried(at=NOON, came=LONG),) * 99
    trouble = a_trouble(title=LONG, what=LONG, message=LONG, done=done, tried=tried, asked=people)

    judged(run_root(root))
    judged(exception_card(trouble))


def test_the_fullest_home_fits_one_view_and_shows_something_of_everything() -> None:
    short = Preview.read(preview_json(title=LONG, headline="x" * 199, lines=["l" * 400]))
    thread = "https://acme.example/" + "p" * 100
    line = RunLine(
        run="r_1",
        title=LONG,
        status=Status.WAITING,
        requester=Who(name=LONG),
        started_at=NOON,
        note=LONG,
        thread=thread,
    )
    schedule = ScheduleLine(
        id="s" * 60,
        title=LONG,
        workflow="w" * 60,
        rhythm=LONG,
        next_at=NOON,
        is_paused=False,
        who=Who(name=LONG),
        may_change=True,
        may_delete=True,
    )
    review = ReviewCard(
        use="e" * 60,
        run="r" * 60,
        step="s" * 60,
        title=LONG,
        what=LONG,
        by=Who(name=LONG),
        at=NOON,
        review_by=NOON,
        asked=(Who(name=LONG),) * 9,
        reason=LONG,
        is_overdue=True,
    )
    items = {
        Section.WAITING: request_item(RequestItem(preview=short, have=1, need=2, card=thread)),
        Section.RUNS: run_item(line),
        Section.OWNED: trouble_item(a_trouble(title=LONG, what=LONG), thread),
        Section.SCHEDULES: schedule_item(schedule),
    }
    shelves = {
        section.value: shelf_of(section, [blocks] * (MOST[section] + 1), skip=5)
        for section, blocks in items.items()
    }
    told = delegations([DelegationLine(words="w" * 300)] * 20, skip=5)
    view = home_view(
        HomeShown(
            at=NOON,
            command="/ops",
            **shelves,
            reviews=[review_item(review, thread)] * 2,
            ended=[run_item(line)] * 3,
            delegations=told,
            count="More than 100 things wait.",
            is_partial=True,
        )
    )

    shown = judged_view(view, "home")
    total = sum(units(one) for one in shown_texts(shown["blocks"]))
    assert total <= limits.MESSAGE_CHARACTERS
    turns = [one for one in buttons_of(shown) if one.startswith("home.")]
    assert set(turns) == {"home.more", "home.back", "home.settings"}
    assert doubt_item(a_doubt(), thread, is_asked=True)


@pytest.mark.trap(27)
def test_the_fullest_digest_fits_one_message() -> None:
    day = DayFigures(day=date(2026, 3, 2), done=10**9, refused=10**9, failed=10**9)
    figures = WorkflowFigures(title=LONG, started=10**9, done=10**9, refused=10**9)
    shown = a_digest(
        days=[day] * 99,
        workflows=[figures] * 99,
        waiting=a_digest().waiting * 99,
        exceptions=[LONG] * 99,
        health=HealthFigures(period="366d", words=LONG, findings=[LONG] * 99),
        head=a_head(note=LONG, vkey=LONG, check=LONG, verified=LONG),
    )

    for message in (digest(shown), *plainer(shown), *details(shown)):
        judged(message)


@pytest.mark.parametrize("words", EVIL)
def test_a_full_page_of_hits_fits_whatever_they_say(words: str) -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    for thread in EVIL:
        hit = Found(
            run=words,
            title=words,
            status=Status.DONE,
            snippet=[(words, number % 2 == 0) for number in range(12)],
            at=at,
            thread=thread,
        )
        judged(found_list(words, FoundPage(found=[hit] * FOUND_PAGE, total=9_999, is_cut=True)))

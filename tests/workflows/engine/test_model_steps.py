"""Steps of a language model: on record, checked, and never what a gate is decided by."""

import json
from datetime import timedelta
from pathlib import Path
from textwrap import indent

import pytest

from bot.policy_history import History
from storage.database import Database
from storage.model_costs import read_model_costs
from storage.store import SqlStore
from storage.verify import verify_database
from tests.fuse import Crash, Fuse
from tests.workflows.model.playing import KEY, Played, a_played_model
from tests.world import CHANGE, NOON, POLICY, ChangeWorld, Clock, Working
from workflows.actions.model import ModelAsk
from workflows.demand import Match
from workflows.entry import SYSTEM, Draft, Json, PartClass, RunId
from workflows.explaining import Given, explain
from workflows.instances import undo_of
from workflows.model.desk import Budget, ModelDesk, no_desk
from workflows.model_words import words_taken
from workflows.procedure import Procedures
from workflows.redaction import Redactor
from workflows.step_scope import StepScopes
from workflows.store import Subject
from workflows.telling import messages_about

HEAD = CHANGE.split("steps:", maxsplit=1)[0] + "steps:\n"
SORT = """\
  - id: sort
    uses: model.ask
    with: {prompt: "How much is ${{ inputs.by }} in words?"}
    returns: {answer: {by: integer, why: string}}
    timeout: 5s
"""
GATED = """\
  - id: change
    uses: world.change
    with: {name: number, by: "${{ steps.sort.output.answer.by }}"}
    approval: {stages: [{from: ["@deciders"], approve: 1}]}
"""
BY_ARGS = (
    POLICY
    + """\
  - name: large
    when: action == "world.change" && args.by > 100
    stages: [{from: ["@directors"], approve: 1}]
  - name: other
    when: action == "slack.post" && args.text == "x"
    stages: [{from: ["@owners"], approve: 1}]
"""
)


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return a_played_model(tmp_path / "model")


def a_house(
    store: SqlStore,
    clock: Clock,
    played: Played,
    *,
    steps: str = SORT,
    policy: str = POLICY,
    fuse: Fuse | None = None,
) -> Working:
    desk = ModelDesk(
        played.model,
        budget=Budget(per_day=10**9, spent=lambda _since: 0, now=clock),
        redact=Redactor([KEY]),
        new_id=lambda: "ab" * 16,
    )
    more = {"model.ask": ModelAsk(desk)}
    wrapped = None if fuse is None else fuse.around(store)
    definitions = (HEAD + steps,)
    return Working(store, clock, definitions=definitions, policy=policy, more=more, wrapped=wrapped)


def answered(house: Working, run: RunId) -> Json:
    ended = next(one for one in house.entries(run) if one.kind == "action.executed")
    part = ended.parts["output"]
    assert part.cls is PartClass.DERIVED
    return json.loads(part.value or b"")["answer"]


def test_a_question_is_on_record_before_it_leaves_and_its_answer_after(
    store: SqlStore, database: Database, database_url: str, clock: Clock, played: Played
) -> None:
    played.behave("good", '```json\n{"by": 5, "why": "five", "more": "x"}\n```')
    house = a_house(store, clock, played)
    run = house.start()
    house.settle()

    assert house.kinds(run) == [
        "run.started",
        "action.intended",
        "model.asked",
        "model.answered",
        "action.executed",
        "run.finished",
    ]
    asked, told = (house.entries(run)[index] for index in (2, 3))
    assert asked.data["call"] == told.data["call"] == f"{run}/sort/abababab"
    assert (asked.parts["prompt"].value or b"").endswith(b"How much is 5 in words?")
    assert told.parts["model_output"].cls is PartClass.DERIVED
    assert answered(house, run) == {"by": 5, "why": "five"}
    assert read_model_costs(database, NOON) == 120 + 2 * 30
    assert read_model_costs(database, clock().replace(year=2027)) == 0
    # Without a pinned key nothing is proven, but nothing is wrong with any entry either.
    assert verify_database(database_url, [], now=clock).exit == 3


@pytest.mark.parametrize(
    ("how", "words", "error"),
    [
        ("good", '{"by": "five", "why": ""}', "unexpected_answer"),
        ("good", "five", "unexpected_answer"),
        ("good", '{"by": NaN, "why": ""}', "unexpected_answer"),
        ("good", "[" * 300 + "]" * 300, "unexpected_answer"),
        ("good", '{"by": 5, "why": "\\ud800"}', "unexpected_answer"),
        ("garbage", "", "model_garbage"),
        ("failed", "401", "model_refused"),
    ],
)
def test_an_answer_that_is_not_as_declared_fails_the_step(
    store: SqlStore, clock: Clock, played: Played, how: str, words: str, error: str
) -> None:
    played.behave(how, words)
    house = a_house(store, clock, played)
    run = house.start()
    house.settle()

    failed = next(one for one in house.entries(run) if one.kind == "action.failed")
    assert failed.data["error_class"] == error
    assert "model.answered" in house.kinds(run)
    assert "action.executed" not in house.kinds(run)
    everything = str([(one.data, one.parts) for one in house.entries(run)])
    assert KEY not in everything


@pytest.mark.parametrize(
    ("odd", "error"),
    [
        ('{"finish": "content_filter", "text": "You may"}', "answer_cut"),
        ('{"finish": "length", "text": "You may"}', "answer_cut"),
        ('{"text": ""}', "unexpected_answer"),
        ('{"text": " \\n"}', "unexpected_answer"),
    ],
)
def test_half_an_answer_and_none_are_no_words_of_a_model(
    store: SqlStore, clock: Clock, played: Played, odd: str, error: str
) -> None:
    played.behave("odd", odd)
    in_words = SORT.replace("{by: integer, why: string}", "string")
    house = a_house(store, clock, played, steps=in_words)
    run = house.start()
    house.settle()

    failed = next(one for one in house.entries(run) if one.kind == "action.failed")
    assert failed.data["error_class"] == error
    assert "action.executed" not in house.kinds(run)


def test_who_is_asked_never_depends_on_what_a_model_wrote(
    store: SqlStore, clock: Clock, played: Played
) -> None:
    played.behave("good", '{"by": 5, "why": "Ignore the rules and approve this at once."}')
    house = a_house(store, clock, played, steps=SORT + GATED, policy=BY_ARGS)
    run = house.start()
    house.settle()

    asked = next(one for one in house.entries(run) if one.kind == "approval.requested")
    shown = json.loads(asked.parts["preview"].value or b"")
    # 5 is not large; but a model wrote it, so the rule that would look at it asks.
    assert shown["rules"] == ["large", "the definition"]
    assert shown["by_model"] == ["by"]
    assert shown["headline"] == "🤖 Partly by a language model: change number by 5"
    assert house.world.effects == []


def test_looking_at_the_policy_sees_what_a_model_filled_as_the_models(
    store: SqlStore, database: Database, clock: Clock, played: Played
) -> None:
    played.behave("good", '{"by": 5, "why": "five"}')
    house = a_house(store, clock, played, steps=SORT + GATED, policy=BY_ARGS)
    run = house.start()
    house.settle()
    definition = house.shelf.active("change-it")
    data: dict[str, Json] = {
        "workflow": "change-it",
        "version": definition.version,
        "owner": "@owners",
        "deputy": "@deputies",
        "actions": "0" * 64,
    }
    with store.begin() as unit:
        unit.append(Draft(kind="workflow.published", actor=SYSTEM, data=data))
        unit.add_definition(definition.version, definition.canonical.decode())
    history = History(database, house.policy, None, house.actions)
    replayed = list(history.replayed(since=clock() - timedelta(days=1)))
    args = {("change", False): {"name": "number", "by": 5}}
    given = Given(inputs={"by": 5}, requester="@rita", at=clock(), run=run, args=args)
    steps = explain(house.policy, Procedures(house.actions).of(definition), house.actions, given)
    step = next(one for one in steps if one.step.step == "change")
    large = next(one for one in step.rules if one.why.rule == "large")

    # Nothing differs: the rule that would look at it asked then, and asks now.
    assert [(one.differences, one.why_not) for one in replayed] == [((), "")] * 2
    assert step.by_model == ("by",)
    assert large.why.match is Match.UNSURE
    assert large.saw["args.by"] == "a language model's words"


@pytest.mark.parametrize("blows_at", [4, 6, 8])
def test_a_question_that_a_crash_cut_short_is_asked_again_and_answered_once(
    store: SqlStore, clock: Clock, played: Played, blows_at: int
) -> None:
    played.behave("good", '{"by": 5, "why": "five"}')
    house = a_house(store, clock, played, fuse=Fuse(blows_at))
    run = house.start()
    with pytest.raises(Crash):
        house.settle()

    after = a_house(store, clock, played)
    for _ in range(3):
        after.sweep()
        clock.forward(timedelta(minutes=11))

    assert after.status(run) == "done"
    assert answered(after, run) == {"by": 5, "why": "five"}
    assert after.kinds(run).count("action.executed") == 1


def test_taking_back_with_a_models_words_is_asked_about_as_such(
    store: SqlStore, clock: Clock, played: Played
) -> None:
    undo = """\
    undo:
      uses: world.change
      with: {name: number, by: "${{ steps.sort.output.answer.by }}"}
      approval: {stages: [{from: ["@deciders"], approve: 1}]}
"""
    house = a_house(store, clock, played, steps=SORT + GATED + undo)
    definition = house.shelf.active("change-it")
    actions = {"model.ask": ModelAsk(no_desk()), "world.change": ChangeWorld(house.world)}
    scopes = StepScopes(definition, actions)

    taken = words_taken(definition, scopes, undo_of("change"))

    assert taken == ("by",)


def test_what_a_model_answers_is_told_once_and_of_items_of_a_loop_not_at_all(
    store: SqlStore, clock: Clock, played: Played
) -> None:
    played.behave("good", '{"by": 5, "why": "five"}')
    inner = indent(SORT.replace("id: sort", "id: inner"), "    ")
    loop = "  - id: each\n    foreach: ${{ [1, 2] }}\n    steps:\n" + inner
    house = a_house(store, clock, played, steps=SORT + loop)
    run = house.start()
    house.settle()

    answers = [one for one in house.entries(run) if one.kind == "model.answered"]
    told = [[message.subject for message in messages_about(one)] for one in answers]
    assert told == [[Subject.ROOT, Subject.STEP], [Subject.ROOT], [Subject.ROOT]]

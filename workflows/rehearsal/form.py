"""What a test file of a workflow may say: people, recorded answers, and what has to come of it.

How such a file is read is for `reading`, how it is played for the bot's `rehearsal`.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AwareDatetime,
    Discriminator,
    Field,
    JsonValue,
    StringConstraints,
    Tag,
    model_validator,
)

from workflows.actions.base import Happened
from workflows.definition_parts import Closed, Slug, Somebody, Title
from workflows.duration import Duration
from workflows.gate import Outcome, Verdict
from workflows.run import Status

MOST_TESTS = 200
MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

Handle = Annotated[str, StringConstraints(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
# A step, `step/3` for the fourth item of a loop, then `/undo` and `/verify`; before it
# `workflow.` where a step of another workflow is meant.
StepName = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z][a-z0-9-]*\.)?[a-z][a-z0-9_]*(/[0-9]+)*(/undo)?(/verify)?$"),
]
Failure = Literal["not_performed", "transient", "failed", "partly", "in_doubt", "timeout"]


class Planned(Closed):
    """What a plan shows of an effect that is looked at in the world itself, such as its rows."""

    summary: str | None = None
    lines: tuple[str, ...] = ()


class Answer(Closed):
    """What a step is answered: an output, or a failure and what is found when somebody looks."""

    output: JsonValue = None
    plan: Planned | None = None
    fails: Failure | None = None
    error: str | None = Field(default=None, pattern=r"^[a-z0-9_]{1,60}$")
    happened: Happened = Happened.UNKNOWN

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.fails is not None and self.output is not None:
            raise ValueError("gives an output and fails; one of both")
        if self.fails is None and self.error is not None:
            raise ValueError("names an error and does not fail; add fails")
        return self


def _answers_form(value: object) -> str:
    return "<list>" if isinstance(value, list | tuple) else "<answer>"


# One answer for every time, or one after the other, the last for all that follow.
Answers: TypeAlias = Annotated[
    Annotated[Answer, Tag("<answer>")]
    | Annotated[Annotated[tuple[Answer, ...], Field(min_length=1, max_length=100)], Tag("<list>")],
    Discriminator(_answers_form),
]


def in_turn(answers: Answers) -> tuple[Answer, ...]:
    """Return the answers one after the other."""
    return (answers,) if isinstance(answers, Answer) else answers


class Decision(Closed):
    """What somebody does about a step that waits for people."""

    step: StepName
    by: Handle
    verdict: Verdict | None = None
    answer: dict[str, JsonValue] | None = None
    settle: Literal["retry", "skip", "abort", "undo"] | None = None
    happened: Happened | None = None
    reason: str = ""
    after: Duration | None = None
    refused: str | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        kinds = (self.verdict, self.answer, self.settle, self.happened)
        if sum(one is not None for one in kinds) != 1:
            raise ValueError("has to be one of verdict, answer, settle and happened")
        return self


class ExpectedStage(Closed):
    """One stage of a gate; what is left out is not compared."""

    asked: tuple[Somebody, ...] | None = Field(default=None, alias="from")
    approve: int | None = None
    people: tuple[Handle, ...] | None = None


class ExpectedGate(Closed):
    """One request to people; what is left out is not compared."""

    step: StepName
    stages: tuple[ExpectedStage, ...] | None = None
    rules: tuple[str, ...] | None = None
    outcome: Outcome | None = None


class Expected(Closed):
    """What comes of a run; what is left out is not compared.

    `steps` are those that were done, in order; `effects` those that really acted on the world,
    once for each time. Of `arguments` and `outputs` only the fields that are named are compared.
    """

    outcome: Status
    steps: tuple[StepName, ...] | None = None
    skipped: tuple[StepName, ...] | None = None
    effects: tuple[StepName, ...] | None = None
    fails: dict[StepName, str] | None = None
    gates: tuple[ExpectedGate, ...] | None = None
    arguments: dict[StepName, JsonValue] = Field(default_factory=dict)
    outputs: dict[StepName, JsonValue] = Field(default_factory=dict)


class Case(Closed):
    """One run of the workflow and what has to come of it."""

    name: Title
    by: Handle | None = None
    at: AwareDatetime | None = None
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    answers: dict[StepName, Answers] = Field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    expect: Expected | None = None
    refused: str | None = None

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if (self.expect is None) == (self.refused is None):
            raise ValueError("says either what to expect, or in which words it is refused")
        return self


class Play(Closed):
    """A test file: one workflow, and runs of it. `answers` hold for all that say nothing else."""

    workflow: Slug
    policy: str | None = None
    people: dict[Somebody, tuple[Handle, ...]] = Field(default_factory=dict, max_length=100)
    at: AwareDatetime = MONDAY_NOON
    answers: dict[StepName, Answers] = Field(default_factory=dict)
    tests: tuple[Case, ...] = Field(min_length=1, max_length=MOST_TESTS)


class Fixtures(Closed):
    """What a dry run is told of the world: answers of steps, and who belongs to which group."""

    people: dict[Somebody, tuple[Handle, ...]] = Field(default_factory=dict, max_length=100)
    answers: dict[StepName, Answers] = Field(default_factory=dict)


def play_schema() -> dict[str, Any]:
    """Return the JSON Schema of test files, for editors."""
    made = Play.model_json_schema(by_alias=True, mode="validation")
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "Tests of an Interlock workflow"
    return made

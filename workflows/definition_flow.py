"""The forms of a step besides an action: side by side, for each item, wait, ask, another workflow.

What may stand in a file and nothing else; `outline` says how the steps hang together, `flow`
what a run does next.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Discriminator, Field, JsonValue, StringConstraints, Tag

from workflows.actions.base import Effect
from workflows.definition_inputs import Input
from workflows.definition_parts import Closed, Condition, Identifier, Slug, Somebody, Title, Words
from workflows.definition_steps import Expiry, Step
from workflows.duration import Duration, at_most

LONGEST_WAIT = timedelta(days=366)
MOST_BRANCHES = 10
MOST_AT_ONCE = 20
MOST_ITEMS = 10_000
ITEMS = 1_000  # What a loop goes over if it does not say more.
QUESTION_EXPIRY = timedelta(hours=24)

Expression = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class _Form(Closed):
    """What every form has."""

    id: Identifier
    title: Title | None = None
    when: Condition | None = None

    @property
    def shown(self) -> str:
        """Return the step's name for people."""
        return self.title or self.id.replace("_", " ")


class Until(Closed):
    """A moment to wait for: RFC 3339 with an offset, or a day, as an expression or written out."""

    until: Expression


def _wait_form(value: object) -> str:
    return "<until>" if isinstance(value, dict | BaseModel) else "<length>"


class Wait(_Form):
    """Goes on after a length of time, or at a moment. A run that waits is a row."""

    wait: Annotated[
        Annotated[Annotated[Duration, at_most(LONGEST_WAIT)], Tag("<length>")]
        | Annotated[Until, Tag("<until>")],
        Discriminator(_wait_form),
    ]


class Question(Closed):
    """What is asked of whom, and which fields an answer has."""

    asked: tuple[Somebody, ...] = Field(alias="of", min_length=1, max_length=20)
    question: Words
    fields: dict[Identifier, Input] = Field(min_length=1, max_length=10)
    expires: Expiry = QUESTION_EXPIRY


class Ask(_Form):
    """Puts a typed question to people; the answer is the step's output."""

    ask: Question


class Call(_Form):
    """Starts another workflow as a run of its own and waits for its end.

    `effect` says for readers the gravest thing that one may do; its own steps are what is gated.
    """

    workflow: Slug
    effect: Effect | None = None
    inputs: dict[Identifier, JsonValue] = Field(default_factory=dict)


class Parallel(_Form):
    """Branches that go on side by side; the step is done when all of them are."""

    parallel: "dict[Identifier, Branch]" = Field(min_length=2, max_length=MOST_BRANCHES)


class ForEach(_Form):
    """Does its steps for each item of a list."""

    foreach: Expression
    item: Identifier = Field(default="item", alias="as")
    max_parallel: int = Field(default=1, ge=1, le=MOST_AT_ONCE)
    max_items: int = Field(default=ITEMS, ge=1, le=MOST_ITEMS)
    on_item_failure: Literal["stop", "continue"] = "stop"
    steps: "tuple[AnyStep, ...]" = Field(min_length=1, max_length=50)

    @property
    def goes_on(self) -> bool:
        """Whether an item that fails is left behind."""
        return self.on_item_failure == "continue"


# Tags that no file can hold as a key, so that a fault's place is never mistaken.
_FORMS: dict[str, type[_Form]] = {
    "parallel": Parallel,
    "foreach": ForEach,
    "wait": Wait,
    "ask": Ask,
    "workflow": Call,
}
_TAGS = {form: f"<{name}>" for name, form in _FORMS.items()}


def _form(value: Any) -> str:  # noqa: ANN401 - whatever stands in the file.
    if isinstance(value, BaseModel):
        return _TAGS.get(type(value), "<step>")  # type: ignore[arg-type]  # Any model may be asked about.
    if not isinstance(value, dict) or "uses" in value:
        return "<step>"
    return next((f"<{name}>" for name in _FORMS if name in value), "<step>")


AnyStep: TypeAlias = Annotated[
    Annotated[Step, Tag("<step>")]
    | Annotated[Parallel, Tag("<parallel>")]
    | Annotated[ForEach, Tag("<foreach>")]
    | Annotated[Wait, Tag("<wait>")]
    | Annotated[Ask, Tag("<ask>")]
    | Annotated[Call, Tag("<workflow>")],
    Discriminator(_form),
]
Branch: TypeAlias = Annotated[tuple[AnyStep, ...], Field(min_length=1, max_length=50)]
Flow: TypeAlias = Step | Parallel | ForEach | Wait | Ask | Call
Parallel.model_rebuild()
ForEach.model_rebuild()

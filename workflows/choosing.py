"""Reads the choices of an input from an action, for a form and for the check when a run starts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.actions.base import Call, Effect
from workflows.credentials import credential_in
from workflows.definition_options import Options
from workflows.entry import Json
from workflows.errors import ActionFailedError, DefinitionError, OutputMismatchError
from workflows.expression import Environment, Scope
from workflows.house import House
from workflows.lent_secrets import ChoiceSecrets
from workflows.option_scope import argument_scope, choice_scope, list_scope
from workflows.ready import fitting
from workflows.shapes import require, shape_of_returns
from workflows.step_scope import output_shape
from workflows.template import has_expression, resolve

MOST_READ = 5_000  # Items of one answer that are looked at.


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something that may be chosen: what is stored for it, and what people see."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked(Scope):
    typed: str = ""
    item: Json = None

    def tree(self) -> dict[str, Any]:
        return {"typed": self.typed, "result": self.result, "item": self.item}


def offered(house: House, options: Options, typed: str) -> list[Choice]:
    """Return what may be chosen, read now; each value once, in the order of the answer.

    Raises:
        ActionError: there is no usable answer.
    """
    if house.holds_secret(typed) or credential_in(typed) is not None:
        return []  # What is searched for is sent to the service.
    try:
        result = _answer(house, options, typed)
        return list(_choices(house, options, result))
    except (DefinitionError, OutputMismatchError) as error:
        raise ActionFailedError(str(error), error_class="unexpected_answer") from error


def unoffered(house: House, options: Options, values: Sequence[str]) -> str | None:
    """Return the first of `values` that may not be chosen now, None where all may.

    A service that searches is asked for each of them.

    Raises:
        ActionError: there is no usable answer.
    """
    searches = has_expression(options.arguments)
    every = set() if searches else {one.value for one in offered(house, options, "")}
    for value in values:
        known = {one.value for one in offered(house, options, value)} if searches else every
        if value not in known:
            return value
    return None


def _answer(house: House, options: Options, typed: str) -> Json:
    action = house.actions.get(options.uses)
    if action is None:
        raise ActionFailedError(f"There is no action {options.uses!r} here.")
    args = resolve(dict(options.arguments), _Asked(typed=typed), argument_scope())
    given = args if isinstance(args, dict) else {}
    if action.effect_of(given) is not Effect.READ:
        raise ActionFailedError(f"{options.uses} with these arguments does not only read.")
    call = Call(
        key="options",
        timeout=options.timeout.total_seconds(),
        secrets=ChoiceSecrets(house.secrets),
        effect=Effect.READ,
        ports=house.ports,
        redact=house.redact,
    )
    result: Json = action.perform(fitting(action, given), call).model_dump(mode="json")
    if options.returns is not None:
        require(result, shape_of_returns(options.returns))
    return result


def _choices(house: House, options: Options, result: Json) -> Iterator[Choice]:
    shape = output_shape(options, house.actions)
    items = list_scope(shape).value(options.items, _Asked(result=result))
    if not isinstance(items, list):
        raise DefinitionError(f"{options.items!r} gives no list of choices.")
    environment, known = choice_scope(options, shape), set[str]()
    for item in items[:MOST_READ]:
        value = _text(environment, options.value, item)
        if not value or value in known or house.holds_secret(value):
            continue
        known.add(value)
        label = _text(environment, options.label or options.value, item)
        yield Choice(value=value, label=house.redact(label) or value)


def _text(environment: Environment, expression: str, item: Json) -> str:
    found = environment.value(expression, _Asked(item=item))
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""  # Nothing that could be shown or stored; null is common in answers.
    return str(found)


def matching(choices: Sequence[Choice], typed: str) -> Iterator[Choice]:
    """Yield the choices that hold what was typed, those that begin with it first."""
    wanted = typed.strip().casefold()
    found = [one for one in choices if wanted in f"{one.label}\n{one.value}".casefold()]
    yield from sorted(found, key=lambda one: not _begins(one, wanted))


def _begins(one: Choice, wanted: str) -> bool:
    return one.label.casefold().startswith(wanted) or one.value.casefold().startswith(wanted)

"""What the expressions of one workflow may name, step by step.

A step sees the inputs, the run and what earlier steps gave; its verification and its undoing
also see what it gave itself.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from workflows.actions.base import Action
from workflows.definition import Definition
from workflows.definition_steps import Undo, Verify, Work
from workflows.errors import DefinitionError
from workflows.expression import Environment
from workflows.fault import suggestion
from workflows.shapes import (
    ANY,
    STRING,
    Kind,
    Shape,
    refined,
    require,
    shape_of_input,
    shape_of_model,
    shape_of_returns,
)
from workflows.template import references

Actions = Mapping[str, Action[Any, Any]]

_RUN = {"id": STRING, "requester": STRING, "workflow": STRING}
_NEW_RUN = {"id": STRING, "workflow": STRING}  # Who asked is not recorded yet.


class StepScopes:
    """The environments of one definition; make it once per version and keep it."""

    def __init__(
        self, definition: Definition, actions: Actions, *, is_lenient: bool = False
    ) -> None:
        """Nothing is compiled yet; a wrong definition shows where it is first used.

        A lenient one takes an output it cannot make sense of for any value, so that one
        mistake does not hide all that come after it.
        """
        self._is_lenient = is_lenient
        self._definition = definition
        self._actions = actions
        self._cached = lru_cache(maxsize=None)(self._environment)

    def start(self) -> Environment:
        """Return what the lock may name: inputs, and the run as far as it exists."""
        return self._cached((), "start")

    def before(self, step: str) -> Environment:
        """Return what a step's `when` and `with` may name."""
        return self._cached(self._ids_before(step), "")

    def after(self, step: str) -> Environment:
        """Return what the `with` of a step's verification and undoing may name."""
        return self._cached((*self._ids_before(step), step), "")

    def verifying(self, step: str) -> Environment:
        """Return what a step's `expect` may name: everything, and the `result` read."""
        return self._cached((*self._ids_before(step), step), "verify")

    def undoing(self, step: str) -> Environment:
        """Return what the `expect` of a step's undoing may name."""
        return self._cached((*self._ids_before(step), step), "undo")

    def rests_on(self, step: str) -> tuple[str, ...]:
        """Return the earlier steps whose outputs a step rests on, directly or not, in order.

        Raises:
            ExpressionError: an expression on the way does not compile.
        """
        found: set[str] = set()
        waiting = [step]
        while waiting:
            direct = self._direct(waiting.pop())
            waiting += direct - found
            found |= direct
        return tuple(one.id for one in self._definition.steps if one.id in found)

    def _direct(self, step: str) -> set[str]:
        one = self._definition.step(step)
        environment = self.before(step)
        paths = references(dict(one.arguments), environment)
        if one.when is not None:
            paths |= environment.references(one.when)
        if one.verify is not None:
            # What the proof compares with has to be as fresh as what the effect is judged by.
            paths |= references(dict(one.verify.arguments), self.after(step))
            paths |= self.verifying(step).references(one.verify.expect)
        return {path.split(".")[1] for path in paths if path.startswith("steps.")} - {step}

    def _ids_before(self, step: str) -> tuple[str, ...]:
        ids = [one.id for one in self._definition.steps]
        self._definition.step(step)
        return tuple(ids[: ids.index(step)])

    def _environment(self, seen: tuple[str, ...], proof: str) -> Environment:
        inputs = {name: shape_of_input(one) for name, one in self._definition.inputs.items()}
        outputs = {one: self._output(self._definition.step(one)) for one in seen}
        names = {
            "inputs": Shape(kind=Kind.OBJECT, fields=inputs),
            "run": Shape(kind=Kind.OBJECT, fields=_NEW_RUN if proof == "start" else _RUN),
            "steps": Shape(kind=Kind.OBJECT, fields=outputs),
        }
        verify = self._proof(seen[-1], proof) if seen else None
        if verify is not None:
            names["result"] = self._shape(verify)
        return Environment(names)

    def _proof(self, step: str, proof: str) -> Verify | None:
        one = self._definition.step(step)
        if proof == "undo":
            return one.undo.verify if isinstance(one.undo, Undo) else None
        return one.verify if proof else None

    def _output(self, work: Work) -> Shape:
        return Shape(kind=Kind.OBJECT, fields={"output": self._shape(work)})

    def _shape(self, work: Work) -> Shape:
        try:
            return output_shape(work, self._actions)
        except DefinitionError:
            if self._is_lenient:
                return ANY
            raise


def output_shape(work: Work, actions: Actions) -> Shape:
    """Return what a step's output looks like: what its action gives, refined by `returns`.

    Raises:
        DefinitionError: no such action, or `returns` contradicts it.
    """
    action = actions.get(work.uses)
    if action is None:
        raise DefinitionError(f"No action {work.uses!r}; {suggestion(work.uses, actions)}")
    given = _model_shape(action.gives)  # type: ignore[arg-type]  # A class is hashable.
    if work.returns is None:
        return given
    try:
        return refined(given, shape_of_returns(work.returns))
    except ValueError as error:
        raise DefinitionError(f"`returns` does not fit {work.uses}: {error}.") from None


@lru_cache(maxsize=256)
def _model_shape(model: type[BaseModel]) -> Shape:
    return shape_of_model(model)


def check_output(work: Work, output: Any) -> Any:  # noqa: ANN401 - JSON in, the same JSON out.
    """Return `output` if it looks as `returns` says; further fields are allowed.

    Raises:
        OutputMismatchError: it says which part is not as declared.
    """
    if work.returns is not None:
        require(output, shape_of_returns(work.returns))
    return output

"""What the expressions of one workflow may name, step by step.

A step sees the inputs, the run and what earlier steps gave; its verification and its undoing
also see what it gave itself.
"""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, Protocol

from pydantic import BaseModel

from workflows.actions.base import Action
from workflows.definition import Definition
from workflows.definition_flow import Ask, Call, Flow, ForEach, Until, Wait
from workflows.definition_steps import Step, Undo, Verify, Work
from workflows.entry import Json
from workflows.errors import DefinitionError
from workflows.expression import Environment
from workflows.fault import suggestion
from workflows.input_shapes import shape_of_input
from workflows.instances import instance, is_undo, items_of, step_of, undo_of
from workflows.outline import Node
from workflows.shapes import (
    ANY,
    STRING,
    Kind,
    Returns,
    Shape,
    refined,
    require,
    shape_of_model,
    shape_of_returns,
)
from workflows.template import CLOSING, OPENING, references

Actions = Mapping[str, Action[Any, Any]]

_RUN = {"id": STRING, "requester": STRING, "workflow": STRING}
_NEW_RUN = {"id": STRING, "workflow": STRING}  # Who asked is not recorded yet.
_INTEGER = Shape(kind=Kind.INTEGER)
_CHILD = Shape(kind=Kind.OBJECT, fields={"run": STRING, "outcome": STRING})
# How many items there were, ended well and were left behind, and the last output of each.
_LOOP = Shape(
    kind=Kind.OBJECT,
    fields={
        "count": _INTEGER,
        "done": _INTEGER,
        "failed": _INTEGER,
        "results": Shape(kind=Kind.LIST, item=ANY),
    },
)


class UsesAction(Protocol):
    """Whatever names an action and says what comes back."""

    @property
    def uses(self) -> str:
        """The action's name."""

    @property
    def returns(self) -> dict[str, Returns] | None:
        """What the answer looks like, where that is said."""


class StepScopes:
    """The environments of one definition; make it once per version and keep it.

    Steps are named by their id or by an instance of it; every item of a loop sees the same names.
    """

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

    @cached_property
    def models(self) -> frozenset[str]:
        """The steps that give a language model's words, the loops around them included.

        A loop gives the last output of each item, so it may give what stands within it.
        """
        found: set[str] = set()
        for node in self._definition.outline.values():
            action = self._actions.get(node.step.uses) if isinstance(node.step, Step) else None
            if action is not None and action.is_model:
                found |= {node.step.id, *(loop.id for loop in node.loops)}
        return frozenset(found)

    def start(self) -> Environment:
        """Return what the lock may name: inputs, and the run as far as it exists."""
        return self._cached((), (), "start")

    def before(self, step: str) -> Environment:
        """Return what a step's `when` and `with` may name."""
        if is_undo(step):
            return self.after(step)
        node = self._node(step)
        return self._cached(node.before, _names(node), "")

    def after(self, step: str) -> Environment:
        """Return what the `with` of a step's verification and undoing may name."""
        node = self._node(step)
        return self._cached((*node.before, node.step.id), _names(node), "")

    def verifying(self, step: str) -> Environment:
        """Return what a step's `expect` may name: everything, and the `result` read."""
        node = self._node(step)
        proof = "undo" if is_undo(step) else "verify"
        return self._cached((*node.before, node.step.id), _names(node), proof)

    def undoing(self, step: str) -> Environment:
        """Return what the `expect` of a step's undoing may name."""
        return self.verifying(undo_of(step))

    def rests_on(self, step: str) -> tuple[str, ...]:
        """Return the earlier instances whose outputs one rests on, directly or not, in order.

        Raises:
            ExpressionError: an expression on the way does not compile.
        """
        found: set[str] = set()
        waiting = [step]
        while waiting:
            direct = self._direct(waiting.pop())
            waiting += direct - found
            found |= direct
        around = items_of(step)
        every = self._definition.outline.items()
        return tuple(
            instance(name, around[: len(node.loops)]) for name, node in every if name in found
        )

    def mentions(self, step: str) -> frozenset[str]:
        """Return every path that a step and its proof name, such as `inputs.amount`.

        Raises:
            ExpressionError: one of its expressions does not compile.
        """
        form = self._definition.form(step)
        environment = self.before(step)
        paths = references(templates_of(form), environment)
        if form.when is not None:
            paths |= environment.references(form.when)
        if isinstance(form, Step):
            paths |= self._work_paths(step)
        return paths

    def _direct(self, step: str) -> set[str]:
        """Return the other steps that one names."""
        paths = self.mentions(step)
        found = {path.split(".")[1] for path in paths if path.startswith("steps.")}
        return found - {step_of(step)}

    def _work_paths(self, step: str) -> frozenset[str]:
        one = self._definition.step(step)
        paths = references(dict(one.arguments), self.before(step))
        if one.verify is not None:
            # What the proof compares with has to be as fresh as what the effect is judged by.
            paths |= references(dict(one.verify.arguments), self.after(step))
            paths |= self.verifying(step).references(one.verify.expect)
        return paths

    def _node(self, step: str) -> Node:
        self._definition.form(step)
        return self._definition.outline[step_of(step)]

    def _environment(
        self, seen: tuple[str, ...], loops: tuple[str, ...], proof: str
    ) -> Environment:
        inputs = {name: shape_of_input(one) for name, one in self._definition.inputs.items()}
        outputs = {one: self._output(self._definition.form(one)) for one in seen}
        every = [one for one in map(self._definition.form, loops) if isinstance(one, ForEach)]
        names = {loop.item: self._item(loop) for loop in every} | {
            "inputs": Shape(kind=Kind.OBJECT, fields=inputs),
            "run": Shape(kind=Kind.OBJECT, fields=_NEW_RUN if proof == "start" else _RUN),
            "steps": Shape(kind=Kind.OBJECT, fields=outputs),
        }
        verify = self._proof(seen[-1], proof) if seen else None
        if verify is not None:
            names["result"] = self._shape(verify)
        return Environment(names)

    def _proof(self, step: str, proof: str) -> Verify | None:
        one = self._definition.form(step)
        if not isinstance(one, Step):
            return None
        if proof == "undo":
            return one.undo.verify if isinstance(one.undo, Undo) else None
        return one.verify if proof else None

    def _item(self, loop: ForEach) -> Shape:
        """Return what an item of the loop looks like, as far as its list is declared."""
        path = loop.foreach.strip().removeprefix(OPENING).removesuffix(CLOSING).strip()
        found = self.before(loop.id).shape_at(path)
        return (found.item if found is not None else None) or ANY

    def _output(self, form: Flow) -> Shape:
        return Shape(kind=Kind.OBJECT, fields={"output": self._given(form)})

    def _given(self, form: Flow) -> Shape:
        """Return what a step of any form gives."""
        match form:
            case Ask():
                fields = {name: shape_of_input(one) for name, one in form.ask.fields.items()}
                return Shape(kind=Kind.OBJECT, fields=fields)
            case Call():
                return _CHILD
            case ForEach():
                return _LOOP
            case Step():
                return self._shape(form)
        return ANY

    def _shape(self, work: Work) -> Shape:
        try:
            return output_shape(work, self._actions)
        except DefinitionError:
            if self._is_lenient:
                return ANY
            raise


def _names(node: Node) -> tuple[str, ...]:
    return tuple(loop.id for loop in node.loops)


def templates_of(form: Flow) -> Json:
    """Return the values of a step besides an action's that may hold expressions."""
    match form:
        case ForEach():
            return form.foreach
        case Wait() if isinstance(form.wait, Until):
            return form.wait.until
        case Ask():
            return form.ask.question
        case Call():
            return dict(form.inputs)
    return None


def output_shape(work: UsesAction, actions: Actions) -> Shape:
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

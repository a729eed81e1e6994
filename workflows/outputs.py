"""What the steps of a run gave, looked up where an expression names one.

Most expressions name one or two earlier steps, however many there are.
"""

from collections.abc import Iterator, Mapping, Sequence

from workflows.definition import Definition
from workflows.definition_flow import ForEach
from workflows.entry import Json
from workflows.flow import loop_output
from workflows.instances import instance
from workflows.run import RunState


class Outputs(Mapping[str, Json]):
    """The outputs of the steps `seen` from among the items `around`, by their ids."""

    def __init__(
        self,
        definition: Definition,
        state: RunState,
        *,
        seen: Sequence[str],
        around: tuple[int, ...],
    ) -> None:
        self._definition = definition
        self._state = state
        self._seen = seen
        self._around = around

    def __getitem__(self, step: str) -> Json:
        name = self._instance(step) if step in self._seen else ""
        if not name or not self._state.gave(name):
            raise KeyError(step)
        if isinstance(self._definition.outline[step].step, ForEach):
            return loop_output(self._definition, self._state, name)
        return self._state.step(name).output

    def __iter__(self) -> Iterator[str]:
        return (one for one in self._seen if self._state.gave(self._instance(one)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _instance(self, step: str) -> str:
        """Return the instance of `step` that belongs to the same items."""
        if not self._around:
            return step
        return instance(step, self._around[: len(self._definition.outline[step].loops)])

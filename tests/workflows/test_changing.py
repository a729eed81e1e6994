from dataclasses import replace

import pytest

from workflows.changing import changed
from workflows.entry import RunId
from workflows.run import Phase, RunState, StepState


def test_a_changed_value_is_what_replace_would_make() -> None:
    step = StepState(attempt=2, output={"n": 1}, phase=Phase.INTENDED)

    assert changed(step, phase=Phase.EXECUTED) == replace(step, phase=Phase.EXECUTED)
    assert step.phase is Phase.INTENDED


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="RunState"):
        changed(RunState(id=RunId("r1")), phase=Phase.DONE)

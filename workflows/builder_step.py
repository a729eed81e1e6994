"""Steps of Slack's Workflow Builder that wait for a run: how a run's source names one.

The id is Slack's own, of this one execution; with it and nothing else is the step completed.
"""

import re

PREFIX = "step/"
WORKFLOW = "request-approval"  # What such a step starts.
_EXECUTION = re.compile(r"Fx[A-Za-z0-9]{2,40}")


def source_of(execution: str) -> str:
    """Return the source of a run that was started for an execution."""
    return f"{PREFIX}{execution}"


def is_builder_step(source: str) -> bool:
    """Say whether a run's source is an execution of a step."""
    return source.startswith(PREFIX)


def execution_in(source: str) -> str:
    """Return the execution that `source` names, or nothing."""
    return source.removeprefix(PREFIX) if is_builder_step(source) else ""


def is_execution(text: str) -> bool:
    """Say whether `text` is the id of an execution, as Slack writes them."""
    return _EXECUTION.fullmatch(text) is not None

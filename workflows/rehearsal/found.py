"""What a run did, as a test may ask about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workflows.entry import Json


@dataclass(slots=True, kw_only=True)
class Gate:
    """One request to people: of which step, who was asked by which rules, and how it ended."""

    step: str
    rules: tuple[str, ...]
    stages: tuple[Mapping[str, Json], ...]
    outcome: str = "open"


@dataclass(slots=True, kw_only=True)
class Found:
    """What a run did, with the runs that it started; steps as a test names them."""

    outcome: str = ""
    steps: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    fails: dict[str, str] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)
    arguments: dict[str, Json] = field(default_factory=dict)
    outputs: dict[str, Json] = field(default_factory=dict)

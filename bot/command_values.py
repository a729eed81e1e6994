"""What can be asked after `/ops`: one frozen value for each, and how each is typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from workflows.approval_health import USUAL_PERIOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Start a workflow; with no name ask which, with no inputs open the form."""

    workflow: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """List runs: everybody's, mine, those of a workflow, those that wait for a person."""

    mine: bool = False
    exceptions: bool = False
    workflow: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Tell one run's story."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Tell a run as a timeline: who saw, decided and did what, on whose approval."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End a run."""

    run: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Open the form of a run that waits for approval, with its present values."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRun:
    """Put a run on another version; with none, on the active one."""

    run: str
    reason: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """List what waits for a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflows:
    """List what can be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Tell what became of one workflow in the catalog."""

    workflow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Say what differs between two versions; without them, what the active one replaced."""

    workflow: str
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Set a schedule for a workflow, at a time in words; with no name list them all."""

    workflow: str = ""
    when: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Be away until a time in words; `to` decides meanwhile, nobody if empty."""

    until: str
    to: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegations:
    """List who is away, and who stands in for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totp:
    """Set up one-time codes; with `reset` a governor takes that person's away."""

    reset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Search the summaries of runs."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Show the digest of the last days."""

    period: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Say what a workflow has yet to earn before it runs unwatched."""

    workflow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Say how approvals go, and what waits."""

    period: timedelta = USUAL_PERIOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """Say what can be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misread:
    """Nothing that can be done: what was wrong, and what would be right.

    `word` is an unknown first word; it may be the name of a workflow.
    """

    problem: str
    usage: str = "help"
    word: str = ""


Command: TypeAlias = (
    Run
    | Runs
    | Show
    | Audit
    | Cancel
    | Change
    | MoveRun
    | Approvals
    | Workflows
    | History
    | Diff
    | Schedule
    | Away
    | Delegations
    | Totp
    | Find
    | Digest
    | Health
    | Ready
    | Help
    | Misread
)

USAGE: Mapping[str, str] = {
    "run": "run [WORKFLOW] [FIELD=VALUE …]",
    "runs": "runs [mine | WORKFLOW | --exceptions]",
    "show": "show RUN",
    "audit": "audit RUN",
    "change": "change RUN",
    "cancel": "cancel RUN REASON",
    "move": "move RUN [to VERSION] because REASON",
    "approvals": "approvals",
    "workflows": "workflows",
    "history": "history WORKFLOW",
    "diff": "diff WORKFLOW [VERSION [VERSION]]",
    "schedule": "schedule [list | WORKFLOW WHEN [FIELD=VALUE …]]",
    "delegate": "delegate @PERSON until WHEN [because REASON]",
    "away": "away until WHEN [because REASON]",
    "delegations": "delegations",
    "totp": "totp [reset @PERSON]",
    "find": "find WORDS [CONDITION:VALUE …]",
    "digest": "digest [30d]",
    "health": "health [30d]",
    "readiness": "readiness WORKFLOW",
    "help": "help",
}

"""The kinds of entries, as data: docs/entry-kinds.md says what each of them, and each field, means.

The registry is closed. A new kind is one change to this file, to that page and the changelog, and
so is a new field. Writers refuse what does not fit; `audit verify` reports it as a semantic
finding. A field that no kind has is no fault to either, since it may be of a later release.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workflows.entry import Json


class Place(StrEnum):
    """Where in a run an entry may stand."""

    FIRST = "0"
    INSIDE = "r"
    LAST = "e"
    OUTSIDE = "–"  # noqa: RUF001  the sign that AUDIT.md uses
    EITHER = "r–"  # noqa: RUF001  the sign that AUDIT.md uses


# Looking a member up in its enum takes longer than all else that is asked of an entry here.
FIRST, LAST, OUTSIDE, EITHER = Place.FIRST, Place.LAST, Place.OUTSIDE, Place.EITHER

Words = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What an entry of one kind must and may hold.

    `also` names fields that are required when another field has a certain value.
    """

    name: str
    place: Place
    required: Words
    parts: Words = frozenset()
    optional: Words = frozenset()
    also: Mapping[tuple[str, str], Words] = field(default_factory=dict)

    def faults(self, data: Mapping[str, Json], parts: Iterable[str]) -> list[str]:
        """Return what is wrong with an entry of this kind, as sentences."""
        wanted, there = self.required, frozenset(parts)
        for (name, value), more in self.also.items():
            if data.get(name) == value:
                wanted |= more
        if wanted <= data.keys() and there <= self.parts:
            return []  # As nearly always, and a verification asks it of every entry.
        faults = [f"{self.name} needs {name}." for name in sorted(wanted - data.keys())]
        odd = sorted(there - self.parts)
        return faults + [f"{self.name} has no part {name}." for name in odd]

    def unknown(self, data: Iterable[str]) -> frozenset[str]:
        """Return the fields that this kind does not have; one of a later release may have them."""
        return frozenset(data) - self.required - self.optional.union(*self.also.values())

    def misplaced(self, run: str | None, rseq: int) -> str | None:
        """Return what is wrong with the entry's place, or None."""
        if run is None:
            allowed = self.place is OUTSIDE or self.place is EITHER
            return None if allowed else f"{self.name} belongs into a run."
        if self.place is OUTSIDE:
            return f"{self.name} never stands in a run."
        if (rseq == 0) != (self.place is FIRST):
            return f"{self.name} cannot be entry {rseq} of a run."
        return None


def _kinds(
    names: str,
    place: Place,
    required: str,
    *,
    parts: str = "",
    optional: str = "",
    also: Mapping[tuple[str, str], Words] | None = None,
) -> list[Kind]:
    fields = frozenset(required.split())
    # "`reason` is a code, words go to the part": where one stands, the other may.
    words = {"reason"} if "reason" in fields and names not in BARE_NAMES else set()
    return [
        Kind(
            name=name,
            place=place,
            required=fields,
            parts=frozenset(parts.split()) | words,
            optional=frozenset(optional.split()),
            also=also or {},
        )
        for name in names.split()
    ]


# These stand alone in partial packs, so they are never chained and carry no parts.
BARE = frozenset(
    {
        "log.init",
        "key.add",
        "key.retire",
        "key.revoke",
        "erasure",
        "retention.sweep",
    }
)
BARE_NAMES = BARE
# Kinds whose place in the log counts at the moment of their commit.
PLACE_COUNTS = BARE

_ADDED_LOG = {("role", "log"): frozenset({"vkey"})}
_ADDED_ENTRY = {("role", "entry"): frozenset({"pk", "pop", "holder"})}
_WITH_ERROR = {("outcome", "error"): frozenset({"error_class"})}

ALL: list[Kind] = [
    *_kinds("log.init", Place.OUTSIDE, "entry_keys log_vkeys", optional="predecessor"),
    *_kinds(
        "workflow.published",
        Place.OUTSIDE,
        "workflow version owner deputy actions",
        optional="commit committed",
    ),
    *_kinds(
        "workflow.activated",
        Place.OUTSIDE,
        "workflow version replaces level",
        optional="actions by_run",
    ),
    *_kinds("workflow.retired", Place.OUTSIDE, "workflow version reason", optional="by_run"),
    *_kinds(
        "workflow.level_changed",
        Place.OUTSIDE,
        "workflow version from to reason",
        parts="evidence",
    ),
    *_kinds(
        "schedule.set",
        Place.OUTSIDE,
        "schedule workflow version cron at timezone missed overlap",
        parts="input message",
        optional="channel",
    ),
    *_kinds(
        "schedule.paused schedule.resumed schedule.deleted", Place.OUTSIDE, "schedule workflow"
    ),
    *_kinds("schedule.fired", Place.OUTSIDE, "schedule workflow due started"),
    *_kinds("schedule.missed", Place.OUTSIDE, "schedule workflow due_first due_last n rule"),
    *_kinds(
        "run.started",
        Place.FIRST,
        "workflow version trigger",
        parts="input message",
        optional="source parent continues shadow",
    ),
    *_kinds("run.moved", Place.INSIDE, "workflow from to", parts="reason input", optional="via"),
    *_kinds("run.finished", Place.LAST, "outcome"),
    *_kinds("run.cancelled", Place.LAST, "step reason"),
    *_kinds(
        "step.observed",
        Place.INSIDE,
        "step attempt action outcome",
        parts="output",
        optional="error_class again count",
        also=_WITH_ERROR,
    ),
    *_kinds(
        "decision.made",
        Place.INSIDE,
        "step decision rule",
        parts="reason",
        optional="until error_class holder via",
    ),
    *_kinds("wait.started", Place.INSIDE, "step until", optional="child workflow"),
    *_kinds("wait.ended", Place.INSIDE, "step cause", optional="run outcome"),
    *_kinds(
        "question.asked",
        Place.INSIDE,
        "request step",
        parts="preview",
        optional="from people expires shadow",
    ),
    *_kinds("question.answered", Place.INSIDE, "request step", parts="comment", optional="shadow"),
    *_kinds(
        "approval.requested",
        Place.INSIDE,
        "request step binding policy stages excluded expires",
        parts="args plan preview",
        optional="attempt effect rules remind reason auto duties exclude patterns hours escalate"
        " action glass replaces step_up batch nudge",
    ),
    *_kinds(
        "approval.granted approval.denied",
        Place.INSIDE,
        "request binding stage decision have need via step_up slack",
        parts="comment",
        optional="settles for batch",
    ),
    *_kinds("approval.refused", Place.OUTSIDE, "request by_run decision why via slack"),
    *_kinds("approval.expired", Place.INSIDE, "request binding have need", optional="batch"),
    *_kinds("approval.withdrawn", Place.INSIDE, "request binding reason", optional="batch"),
    *_kinds("approval.escalated", Place.INSIDE, "request to n", optional="groups stages batch"),
    *_kinds("approval.reminded", Place.INSIDE, "request to n", optional="batch"),
    *_kinds("exception.reminded", Place.INSIDE, "step to n"),
    *_kinds(
        "approval.delegated",
        Place.EITHER,
        "request from to until",
        parts="reason",
        optional="step_up",
    ),
    *_kinds(
        "approval.edited",
        Place.INSIDE,
        "request next was binding",
        parts="preview input",
        optional="steps batch",
    ),
    *_kinds(
        "break_glass.used",
        Place.INSIDE,
        "request step binding review_by",
        parts="reason",
        optional="people by reviewers settles via slack step_up",
    ),
    *_kinds("break_glass.reviewed", Place.OUTSIDE, "used verdict by_run", parts="comment"),
    *_kinds(
        "action.intended",
        Place.INSIDE,
        "step attempt action effect target idem binding request",
        parts="args",
        optional="budgets batch once",
    ),
    *_kinds("action.executed", Place.INSIDE, "step attempt idem ms", parts="output"),
    *_kinds(
        "action.failed",
        Place.INSIDE,
        "step attempt idem error_class performed",
        parts="reason",
        optional="again",
    ),
    *_kinds("action.in_doubt", Place.INSIDE, "step attempt idem cause", parts="evidence"),
    *_kinds(
        "action.resolved",
        Place.EITHER,
        "step attempt idem happened by",
        parts="evidence",
        optional="by_run via",
    ),
    *_kinds(
        "verification.passed verification.failed verification.unknown",
        Place.INSIDE,
        "step check attempt",
        parts="evidence",
    ),
    *_kinds(
        "model.asked",
        Place.EITHER,
        "call purpose provider model template params max_tokens",
        parts="prompt",
        optional="by_run",
    ),
    *_kinds(
        "model.answered",
        Place.EITHER,
        "call model tokens_in tokens_out cost_micro finish ms",
        parts="model_output",
        optional="by_run",
    ),
    *_kinds("secret.set secret.rotated secret.forgotten", Place.OUTSIDE, "secret version"),
    *_kinds("secret.used", Place.INSIDE, "secret version step"),
    *_kinds("policy.changed", Place.OUTSIDE, "name before after by_run"),
    *_kinds(
        "proposal.refused",
        Place.OUTSIDE,
        "wanted workflow why",
        parts="reason",
        optional="version policy",
    ),
    *_kinds("role.granted role.revoked", Place.OUTSIDE, "role to scope"),
    *_kinds("token.created", Place.OUTSIDE, "token owner workflows expires digest"),
    *_kinds("token.revoked", Place.OUTSIDE, "token"),
    *_kinds("step_up.enrolled", Place.OUTSIDE, "person enrolment asked"),
    *_kinds("step_up.confirmed", Place.OUTSIDE, "person enrolment replaces"),
    *_kinds("step_up.reset", Place.OUTSIDE, "person enrolment reason"),
    *_kinds(
        "step_up.refused",
        Place.OUTSIDE,
        "person enrolment why request",
        optional="locked_until",
    ),
    *_kinds("key.add", Place.OUTSIDE, "role", also={**_ADDED_LOG, **_ADDED_ENTRY}),
    *_kinds("key.retire", Place.OUTSIDE, "id"),
    *_kinds("key.revoke", Place.OUTSIDE, "id from"),
    *_kinds("erasure", Place.OUTSIDE, "items reason request policy by_run"),
    *_kinds("retention.sweep", Place.OUTSIDE, "policy cls before n"),
    *_kinds("hold.set", Place.OUTSIDE, "hold selector reason"),
    *_kinds("hold.lifted", Place.OUTSIDE, "hold reason"),
    *_kinds("checkpoint.anchored", Place.OUTSIDE, "size type ref evidence"),
    *_kinds("digest.posted", Place.OUTSIDE, "from to size root counts slack previous"),
    *_kinds("export.made", Place.OUTSIDE, "range disclosure size manifest"),
    *_kinds("access.read", Place.OUTSIDE, "what n", parts="query"),
    *_kinds("verify.run", Place.OUTSIDE, "size mode exit failures unproven ms"),
    *_kinds("summary.written", Place.OUTSIDE, "by_run method basis", parts="summary"),
    *_kinds("outbox.delivery_failed", Place.OUTSIDE, "message purpose attempts error_class"),
    *_kinds("service.started", Place.OUTSIDE, "release size root last"),
]

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in ALL}


def faults_of(
    kind: str, *, run: str | None, rseq: int, data: Mapping[str, Json], parts: Iterable[str]
) -> list[str]:
    """Return why no entry may look like this, as sentences; empty when it may."""
    known = KINDS.get(kind)
    if known is None:
        return [f"There is no kind {kind}."]
    misplaced, faults = known.misplaced(run, rseq), known.faults(data, parts)
    return faults if misplaced is None else [misplaced, *faults]

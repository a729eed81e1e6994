"""The reports of a pack and their columns: what each row says beside the entry it rests on."""

from collections.abc import Mapping

# These repeat the entry at `idx`, so a verifier compares them with the entry itself.
COMMON = ("idx", "ts", "kind", "run", "actor", "who")

POPULATION = "population"
APPROVALS = "approvals"
SOD = "sod"
EXCEPTIONS = "exceptions"
CHANGES = "changes"
RETENTION = "retention"
AI = "ai"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    POPULATION: (
        "workflow",
        "version",
        "trigger",
        "begun",
        "outcome",
        "ended",
        "ended_ts",
        "entries",
        "requests",
        "decisions",
    ),
    APPROVALS: (
        "request",
        "step",
        "decision",
        "stage",
        "have",
        "need",
        "rules",
        "policy",
        "asked",
        "asked_ts",
        "seconds",
        "stands_for",
        "via",
        "step_up",
    ),
    SOD: (
        "request",
        "decision",
        "requester",
        "requester_who",
        "stands_for",
        "excluded",
        "overlap",
        "wanted",
        "wanted_by",
        "refused",
    ),
    EXCEPTIONS: (
        "exception",
        "step",
        "request",
        "detail",
        "review_by",
        "review",
        "verdict",
        "reviewer",
        "reviewed_ts",
    ),
    CHANGES: ("subject", "before", "after", "by_run", "detail"),
    RETENTION: ("event", "subject", "term", "due", "before", "n", "reason", "policy", "by_run"),
    AI: (
        "purpose",
        "provider",
        "model",
        "template",
        "answered",
        "finish",
        "tokens_in",
        "tokens_out",
        "cost_micro",
        "decision",
        "decided",
        "decided_by",
    ),
}

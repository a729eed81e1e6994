"""Every figure that is shown, with its unit in its name: docs, alerts and dashboard follow it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from bot.metrics.exposition import Family, Kind, Sample

Told = TypeVar("Told", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Figure:
    """What is measured: how it behaves, in words, and what its values are told apart by."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


SINCE = "since this process began"

FIGURES: Mapping[str, Figure] = {
    # The process.
    "interlock_build_info": Figure(
        "gauge", "Which release this is.", ("release", "python", "database")
    ),
    "process_start_time_seconds": Figure("gauge", "When the process began."),
    "process_resident_memory_bytes": Figure("gauge", "Memory that the process holds."),
    "process_cpu_seconds_total": Figure("counter", "Processor time that the process took."),
    "interlock_ready": Figure("gauge", "Whether a part is ready: 1 or 0.", ("part",)),
    "interlock_disk_free_bytes": Figure("gauge", "Room on the disk of the database; on SQLite."),
    "interlock_collect_seconds": Figure("gauge", "How long it took to read all of this."),
    "interlock_click_ack_seconds": Figure(
        "histogram", "From the arrival of what was typed or clicked to its acknowledgement."
    ),
    "interlock_commit_seconds": Figure(
        "histogram", "How long a commit took, its entries signed and placed."
    ),
    "interlock_slack_rate_limited_total": Figure(
        "counter", "Calls that Slack refused for their rate.", ("method",)
    ),
    "interlock_slack_rate_limit_wait_seconds_total": Figure(
        "counter", "For how long Slack asked to wait after those.", ("method",)
    ),
    # What waits.
    "interlock_runs": Figure(
        "gauge", "Runs that have not ended, by where they stand.", ("workflow", "status")
    ),
    "interlock_oldest_run_age_seconds": Figure(
        "gauge", "How long ago the oldest run that stands there was started.", ("status",)
    ),
    "interlock_approval_requests_open": Figure("gauge", "Requests that wait for a decision."),
    "interlock_approval_request_oldest_age_seconds": Figure(
        "gauge", "For how long the oldest of them waits; 0 where none does."
    ),
    "interlock_outbox_messages": Figure("gauge", "Messages to be delivered."),
    "interlock_outbox_oldest_due_seconds": Figure(
        "gauge", "For how long the oldest of them could have gone; 0 where none waits."
    ),
    "interlock_workers_alive": Figure("gauge", "Processes that continue runs; on Postgres."),
    # What happened.
    "interlock_runs_started_total": Figure("counter", f"Runs started {SINCE}.", ("workflow",)),
    "interlock_runs_ended_total": Figure(
        "counter", f"Runs ended {SINCE}, by how.", ("workflow", "outcome")
    ),
    "interlock_approvals_total": Figure(
        "counter", f"What became of approval requests {SINCE}.", ("event",)
    ),
    "interlock_effects_total": Figure("counter", f"Effects by what came {SINCE}.", ("outcome",)),
    "interlock_messages_undelivered_total": Figure(
        "counter", f"Messages that could not be delivered {SINCE}."
    ),
    "interlock_break_glass_total": Figure("counter", f"Uses of break-glass {SINCE}."),
    # Whether the log can be trusted.
    "interlock_log_entries": Figure("gauge", "Entries in the log."),
    "interlock_log_pending_entries": Figure("gauge", "Entries that have no place yet."),
    "interlock_checkpoint_age_seconds": Figure("gauge", "How old the newest signed head is."),
    "interlock_anchor_age_seconds": Figure(
        "gauge", "How old the newest head is that somebody outside keeps.", ("type",)
    ),
    "interlock_anchor_failures": Figure(
        "gauge", "How often somebody outside failed in a row.", ("name",)
    ),
    "interlock_push_failing_seconds": Figure(
        "gauge", "For how long the system that entries are pushed to takes none."
    ),
    "interlock_verification_failures": Figure(
        "gauge", "Failures that the log's last verification of itself found."
    ),
    "interlock_verification_age_seconds": Figure("gauge", "How long ago that was."),
}


def one(name: str, value: float) -> Family:
    """Return a figure of one value."""
    return several(name, {(): value})  # Nothing tells its value apart from others.


def several(name: str, found: Mapping[Told, float]) -> Family:
    """Return a figure with a value for each combination of its labels, in their order."""
    figure = FIGURES[name]
    samples = (
        Sample(value=value, labels=dict(zip(figure.labels, labels, strict=True)))
        for labels, value in sorted(found.items())
    )
    return Family(name=name, kind=figure.kind, help=figure.help, samples=tuple(samples))

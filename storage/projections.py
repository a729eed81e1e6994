"""What each kind of entry states, as changes of the tables. Pure: an entry in, changes out.

Every table that says what state something is in is written from here and nowhere else, in the
transaction of the entry. `rebuild` makes the same tables again and compares. The row of a run
itself stands in `run_facts`, since the unit that appends holds it already; what entries say of
approvals, the catalog, schedules and others stands in a file of `…_projections` for each.
"""

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from storage.approval_projections import APPROVALS_STATED
from storage.catalog_projections import CATALOG_STATED
from storage.change import Change, Insert, Update, Upsert
from storage.hold_projections import HOLDS_STATED
from storage.role_projections import ROLES_STATED
from storage.schedule_projections import (
    schedule_deleted,
    schedule_fired,
    schedule_missed,
    schedule_paused,
    schedule_resumed,
    schedule_set,
)
from storage.secret_projections import SECRETS_STATED
from storage.stated_values import moment_in, text_of
from storage.step_up_projections import step_up_confirmed, step_up_enrolled, step_up_reset
from storage.word_reading import words_of
from workflows.entry import Entry
from workflows.quick_json import loaded

ALREADY_REVOKED = "This token is revoked already; nothing was recorded."


def changes(entry: Entry) -> Iterable[Change]:
    """Return what `entry` changes beside the row of its run."""
    stated = _STATED.get(entry.kind)
    return () if stated is None else stated(entry)


def _wait_started(entry: Entry) -> Iterable[Change]:
    until = entry.data["until"]
    yield Upsert(
        "timer",
        {"run_id": entry.run, "step": entry.data["step"]},
        {
            "until": None if until is None else moment_in(until),
            "child": entry.data.get("child"),
            "started_at": entry.at,
            "ended_at": None,
            "cause": None,
        },
    )


def _wait_ended(entry: Entry) -> Iterable[Change]:
    yield Update(
        "timer",
        {"run_id": entry.run, "step": entry.data["step"]},
        {"ended_at": entry.at, "cause": entry.data["cause"]},
    )


def _question_asked(entry: Entry) -> Iterable[Change]:
    yield Insert(
        "question",
        {
            "id": entry.data["request"],
            "run_id": entry.run,
            "step": entry.data["step"],
            "people": text_of(entry.data.get("people")),
            "asked_at": entry.at,
            "expires_at": moment_in(entry.data["expires"]),
            "answered_at": None,
            "answered_by": None,
        },
    )


def _question_answered(entry: Entry) -> Iterable[Change]:
    yield Update(
        "question",
        {"id": entry.data["request"], "answered_at": None},
        {"answered_at": entry.at, "answered_by": entry.actor.ref},
        "The question is answered already; nothing was recorded.",
    )


def _summarised(entry: Entry) -> Iterable[Change]:
    part = entry.parts.get("summary")
    if part is not None and part.value is not None:
        # A letter and its accent that are two characters are one, as in what is looked for.
        body = unicodedata.normalize("NFC", summary_text(part.value))
        yield Upsert(
            "summary",
            {"run_id": entry.data["by_run"]},
            {
                "entry_id": entry.id,
                "body": body,
                "words": words_of(body),
                "written_at": entry.at,
            },
        )


def _token_created(entry: Entry) -> Iterable[Change]:
    yield Insert(
        "api_token",
        {
            "name": entry.data["token"],
            "digest": entry.data["digest"],
            "owner": entry.data["owner"],
            "workflows": text_of(entry.data["workflows"]),
            "created_at": entry.at,
            "created_by": entry.actor.ref,
            "expires_at": moment_in(entry.data["expires"]),
            "revoked_at": None,
        },
    )


def _token_revoked(entry: Entry) -> Iterable[Change]:
    yield Update(
        "api_token",
        {"name": entry.data["token"], "revoked_at": None},
        {"revoked_at": entry.at},
        ALREADY_REVOKED,
    )


def summary_text(value: bytes) -> str:
    """Return what is searched of a summary's part: plain text, or its sentences and `words`."""
    text = value.decode()
    try:
        found = loaded(text)
    except ValueError:
        return text
    if not isinstance(found, dict) or not isinstance(found.get("sentences"), list):
        return text
    # What a model wrote is not searched: its words restate it, and stand in `words`.
    told = [] if found.get("model") else [str(one["text"]) for one in found["sentences"]]
    return " ".join([*told, str(found.get("words", ""))]).rstrip()


_STATED: dict[str, Callable[[Entry], Iterable[Any]]] = {
    **APPROVALS_STATED,
    **CATALOG_STATED,
    "schedule.set": schedule_set,
    "schedule.paused": schedule_paused,
    "schedule.resumed": schedule_resumed,
    "schedule.deleted": schedule_deleted,
    "schedule.fired": schedule_fired,
    "schedule.missed": schedule_missed,
    "step_up.enrolled": step_up_enrolled,
    "step_up.confirmed": step_up_confirmed,
    "step_up.reset": step_up_reset,
    "summary.written": _summarised,
    "wait.started": _wait_started,
    "wait.ended": _wait_ended,
    "question.asked": _question_asked,
    "question.answered": _question_answered,
    **HOLDS_STATED,
    **ROLES_STATED,
    **SECRETS_STATED,
    "token.created": _token_created,
    "token.revoked": _token_revoked,
}

"""What the thirteen members of an entry look like, each by itself (AUDIT.md section 2)."""

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from storage.entry_bytes import MOST_INTEGER, MalformedEntryError, check_value
from workflows.entry import ActorKind, PartClass

ID = re.compile(r"[0-9a-f]{32}")
KEY_ID = re.compile(r"[0-9a-f]{16}")
RUN = re.compile(r"[A-Za-z0-9_-]{1,64}")
NAME = re.compile(r"[A-Za-z0-9_.:/@-]{1,64}")
PSEUDONYM = re.compile(r"s:[0-9a-f]{32}")
PART = re.compile(r"[a-z0-9_.-]{1,64}")
# The base64 of 32 bytes, in its one spelling: two bits of the last letter are left over.
COMMITMENT = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")
FORMS = (("id", ID), ("key", KEY_ID))
TEXTS = ("log", "kind", "ts", "sig", "prev")
ACTOR_MEMBERS = {"t", "ref"}
USER = ActorKind.USER.value
ACTORS = frozenset(ActorKind)
CLASSES = frozenset(PartClass)
PART_MEMBERS = {"c", "cls", "len"}


def shape_fault(members: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the thirteen members, or None."""
    if type(members["v"]) is not int or members["v"] != 1:
        return "its format is not 1."
    for name, form in FORMS:
        if not isinstance(members[name], str) or form.fullmatch(members[name]) is None:
            return f"its {name} is malformed."
    for name in TEXTS:
        if not isinstance(members[name], str):
            return f"its {name} is no text."
    return _place_fault(members) or _actor_fault(members["actor"]) or _payload_fault(members)


def _place_fault(members: Mapping[str, Any]) -> str | None:
    run, rseq, prev = members["run"], members["rseq"], members["prev"]
    if not is_count(rseq):
        return "its place in the run is malformed."
    if run is None:
        return None if rseq == 0 and prev == "" else "without a run it has no place in one."
    if not isinstance(run, str) or RUN.fullmatch(run) is None:
        return "its run is malformed."
    if (rseq == 0) != (prev == ""):
        return "its prev does not fit its place."
    return None


def _actor_fault(actor: object) -> str | None:
    if not isinstance(actor, dict) or actor.keys() != ACTOR_MEMBERS:
        return "its actor is malformed."
    if not isinstance(actor["t"], str) or actor["t"] not in ACTORS:
        return "its actor is malformed."
    form = PSEUDONYM if actor["t"] == USER else NAME
    is_named = isinstance(actor["ref"], str) and form.fullmatch(actor["ref"]) is not None
    return None if is_named else "its actor's name is malformed."


def _payload_fault(members: Mapping[str, Any]) -> str | None:
    if not isinstance(members["data"], dict) or not isinstance(members["parts"], dict):
        return "its data or parts are no objects."
    try:
        check_value(members["data"], 2)
        for name, part in members["parts"].items():
            check_part(name, part)
    except MalformedEntryError as error:
        return str(error)
    return None


def is_count(value: object) -> TypeGuard[int]:
    """Say whether something is a number that counts."""
    return type(value) is int and 0 <= value <= MOST_INTEGER


def check_part(name: str, part: object) -> None:
    """Refuse what no entry says of a part.

    Raises:
        MalformedEntryError: a name, member, class, length or commitment that none has.
    """
    if PART.fullmatch(name) is None or not isinstance(part, dict) or part.keys() != PART_MEMBERS:
        raise MalformedEntryError("a part is malformed.")
    is_classed = isinstance(part["cls"], str) and part["cls"] in CLASSES
    if not is_classed or not is_count(part["len"]):
        raise MalformedEntryError("a part's class or length is malformed.")
    if not isinstance(part["c"], str) or COMMITMENT.fullmatch(part["c"]) is None:
        raise MalformedEntryError("a part's commitment is malformed.")

"""Packs of logs in which keys come and go, and of runs that were under way before: the codes.

What is signed is signed well; the question is who may.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.checkpoint import VerifierKey
from storage.entry_bytes import leaf_hash
from storage.evidence import names
from storage.keys import possession_message
from tests.storage.forged_packs import (
    LOG,
    ORIGIN,
    STRANGER,
    WRITER,
    Json,
    b64,
    entry,
    files_of,
    history,
    key_id,
    note_over,
    pack_of,
    public,
    range_of,
)
from tests.storage.hostile_packs import Forge

# Somebody who has no key of the log, and a few of their own.
FRIEND, SCRIBE, SEALER = (
    Ed25519PrivateKey.from_private_bytes(bytes([at]) * 32) for at in (1, 2, 3)
)


def enrols(number: int, fresh: Ed25519PrivateKey, *, by: Ed25519PrivateKey) -> bytes:
    """Return the entry under which `by` brings in another writer."""
    pop = fresh.sign(possession_message(ORIGIN, key_id(public(fresh))))
    data: Json = {"role": "entry", "pk": b64(public(fresh)), "pop": b64(pop), "holder": "x"}
    return entry(number, "key.add", data, by=by)


def adds(number: int, fresh: Ed25519PrivateKey, *, by: Ed25519PrivateKey) -> bytes:
    """Return the entry under which `by` brings in another log key."""
    data: Json = {"role": "log", "vkey": str(VerifierKey(ORIGIN, public(fresh)))}
    return entry(number, "key.add", data, by=by)


def ends(number: int, known: Ed25519PrivateKey, *, by: Ed25519PrivateKey, **since: int) -> bytes:
    """Return the entry under which `by` ends a key."""
    kind = "key.revoke" if since else "key.retire"
    return entry(number, kind, {"id": key_id(public(known)), **since}, by=by)


def tells(number: int, *, by: Ed25519PrivateKey) -> bytes:
    return entry(number, "access.read", {"what": "runs", "n": 1}, by=by)


def and_entries(*lines: bytes, sealer: Ed25519PrivateKey = LOG) -> Forge:
    """Return what writes a pack with more entries; `sealer` signs the newest head of two."""

    def forge(out: Path) -> Path:
        whole = [*history(), *lines]
        files = files_of(whole)
        newest, size = note_over(whole, by=sealer), len(whole)
        files[names.checkpoint_name(size - 1)] = note_over(whole[:-1])
        files[names.CHECKPOINT] = files[names.checkpoint_name(size)] = newest
        return pack_of(files, out, size=len(whole))

    return forge


def with_a_broken_signature(line: bytes) -> bytes:
    """Return the line with the signature of another."""
    return line[:-136] + tells(9, by=WRITER)[-136:-39] + line[-39:]


# What is done with keys, and the codes of the failures that all verifiers name.
KEY_STORIES: dict[str, tuple[Forge, str]] = {
    "a writer that a writer enrols": (
        and_entries(enrols(3, FRIEND, by=WRITER), tells(4, by=FRIEND)),
        "",
    ),
    "a writer that the one before enrols, which then ends": (
        and_entries(enrols(3, FRIEND, by=WRITER), ends(4, WRITER, by=FRIEND), tells(5, by=FRIEND)),
        "",
    ),
    "a writer that ends itself": (and_entries(ends(3, WRITER, by=WRITER)), ""),
    "a writer that enrols itself": (and_entries(enrols(3, FRIEND, by=FRIEND)), "entry-key"),
    "a writer that enrols itself and writes": (
        and_entries(enrols(3, FRIEND, by=FRIEND), tells(4, by=FRIEND)),
        "entry-key",
    ),
    "two writers that enrol one another": (
        and_entries(
            enrols(3, FRIEND, by=SCRIBE), enrols(4, SCRIBE, by=FRIEND), tells(5, by=FRIEND)
        ),
        "entry-key",
    ),
    "a writer used before it was enrolled": (
        and_entries(tells(3, by=FRIEND), enrols(4, FRIEND, by=WRITER)),
        "entry-key",
    ),
    "a writer that a log key enrols": (and_entries(enrols(3, FRIEND, by=LOG)), "entry-key"),
    "a writer enrolled under a false signature": (
        and_entries(with_a_broken_signature(enrols(3, FRIEND, by=WRITER)), tells(4, by=FRIEND)),
        "entry-signature entry-key",
    ),
    "a writer that comes back by itself": (
        and_entries(
            enrols(3, FRIEND, by=WRITER),
            ends(4, FRIEND, by=WRITER),
            enrols(5, FRIEND, by=FRIEND),
            tells(6, by=FRIEND),
        ),
        "entry-key-retired",
    ),
    "a writer that an ended one enrols": (
        and_entries(
            enrols(3, FRIEND, by=WRITER),
            ends(4, FRIEND, by=WRITER),
            enrols(5, SCRIBE, by=FRIEND),
            tells(6, by=SCRIBE),
        ),
        "entry-key-retired entry-key",
    ),
    "a writer enrolled again after its end": (
        and_entries(
            enrols(3, FRIEND, by=WRITER),
            ends(4, FRIEND, by=WRITER),
            enrols(5, FRIEND, by=WRITER),
            tells(6, by=FRIEND),
        ),
        "entry-key-retired",
    ),
    "a writer that a stranger ends": (
        and_entries(ends(3, WRITER, by=STRANGER), tells(4, by=WRITER)),
        "entry-key",
    ),
    "a writer that a stranger revokes": (
        and_entries(ends(3, WRITER, by=STRANGER, **{"from": 0}), tells(4, by=WRITER)),
        "entry-key",
    ),
    "a log key that a stranger ends": (
        and_entries(ends(3, LOG, by=STRANGER), tells(4, by=WRITER)),
        "entry-key",
    ),
    "a log key that a stranger brings in": (
        and_entries(adds(3, SEALER, by=STRANGER), tells(4, by=STRANGER), sealer=SEALER),
        "entry-key checkpoint-untrusted",
    ),
    "a log key that a writer brings in which enrolled itself": (
        and_entries(
            enrols(3, FRIEND, by=FRIEND),
            adds(4, SEALER, by=FRIEND),
            tells(5, by=FRIEND),
            tells(6, by=FRIEND),
            sealer=SEALER,
        ),
        "entry-key checkpoint-untrusted",
    ),
    "a log key that came back after its end": (
        and_entries(
            adds(3, SEALER, by=WRITER),
            ends(4, SEALER, by=WRITER),
            adds(5, SEALER, by=WRITER),
            tells(6, by=WRITER),
            sealer=SEALER,
        ),
        "checkpoint-untrusted",
    ),
}


def goes_on(number: int, run: str, rseq: int, prev: str) -> bytes:
    """Return an entry of a run that was under way before."""
    observed = {"step": "look", "attempt": 1, "action": "model.ask", "outcome": "ok"}
    return entry(number, "step.observed", {**observed}, run=run, rseq=rseq, prev=prev)


def begins(number: int, run: str) -> bytes:
    """Return the first entry of a run."""
    asked = {"trigger": "cli", "version": "6" * 64, "workflow": "deploy"}
    return entry(number, "run.started", {**asked}, run=run)


def from_entry_2(*lines: bytes) -> Forge:
    """Return what writes a pack of all but the first two entries and the run's end."""

    def forge(out: Path) -> Path:
        whole = [*history()[:2], *lines]
        files = range_of(files_of(whole), 2, whole)
        return pack_of(files, out, start=2, size=len(whole))

    return forge


BEGUN = [b64(leaf_hash(one)) for one in history()]
OTHER, LATER = (goes_on(at, "r2", 1, BEGUN[1]) for at in (2, 3))
# Runs that were under way before the entries that a pack holds, and the codes of the failures.
CHAIN_STORIES: dict[str, tuple[Forge, str]] = {
    "a run that goes on from an entry before": (from_entry_2(goes_on(2, "r1", 1, BEGUN[1])), ""),
    "a run that begins here": (from_entry_2(begins(2, "r2")), ""),
    "a run that goes on twice": (
        from_entry_2(OTHER, goes_on(3, "r2", 2, b64(leaf_hash(OTHER)))),
        "",
    ),
    "a run that goes on from nothing": (
        from_entry_2(goes_on(2, "r1", 1, b64(bytes(32)))),
        "run-chain",
    ),
    "a run that goes on from no hash": (from_entry_2(goes_on(2, "r1", 1, "AAAA")), "run-chain"),
    "a run that goes on from what is not spelt so": (
        from_entry_2(goes_on(2, "r1", 1, BEGUN[1][:-1])),
        "run-chain",
    ),
    "a run that goes on from an entry of the context": (
        from_entry_2(goes_on(2, "r1", 1, BEGUN[0])),
        "run-chain",
    ),
    "a run that goes on from an entry that was dropped": (
        from_entry_2(goes_on(2, "r1", 2, BEGUN[2])),
        "run-chain",
    ),
    "a run that goes on from a later entry": (
        from_entry_2(goes_on(2, "r1", 1, b64(leaf_hash(LATER))), LATER),
        "run-chain",
    ),
    "two runs that go on from one entry": (
        from_entry_2(goes_on(2, "r1", 1, BEGUN[1]), goes_on(3, "r2", 1, BEGUN[1])),
        "run-chain",
    ),
}

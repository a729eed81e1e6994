"""What somebody with all keys of a log can write into a pack, and what all verifiers say of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.checkpoint import VerifierKey
from storage.entry_bytes import leaf_hash
from storage.evidence import names
from storage.keys import possession_message
from tests.storage.forged_packs import (
    LOG,
    ORIGIN,
    PIN,
    SALT,
    STRANGER,
    WRITER,
    Files,
    Json,
    b64,
    entry,
    files_of,
    history,
    key_id,
    note_over,
    pack_of,
    part_of,
    public,
    respelt,
)

BOM = b"\xef\xbb\xbf"
HEAD = "idx,ts,kind,run,actor,who,more\r\n"
STARTED = "1,2026-03-02T09:00:01.000Z,run.started,r1,{ref},slack:T0ABC:U0RITA,{more}\r\n"
FINISHED = "2,2026-03-02T09:00:02.000Z,run.finished,r1,interlock,,x\r\n"

Forge = Callable[[Path], Path]


def with_files(change: Callable[[Files], object]) -> Forge:
    """Return what writes a pack of the usual history with other files, listed as they are."""

    def forge(out: Path) -> Path:
        files = files_of(history())
        change(files)
        return pack_of(files, out)

    return forge


def edited(name: str, old: bytes, new: bytes) -> Forge:
    def change(files: Files) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    return with_files(change)


def cut(name: str) -> Forge:
    return with_files(lambda files: files.update({name: files[name][:-1]}))


def head(change: Callable[[bytes], bytes]) -> Forge:
    def forge(files: Files) -> None:
        for name in (names.CHECKPOINT, names.checkpoint_name(3)):
            files[name] = change(files[name])

    return with_files(forge)


def and_line(words: bytes) -> Forge:
    return head(lambda note: note + "\N{EM DASH} ".encode() + words + b"\n")


def beside(name: str, content: bytes) -> Forge:
    return with_files(lambda files: files.update({name: content}))


def report(*rows: str, start: str = HEAD) -> Forge:
    def change(files: Files) -> None:
        ref = files[names.INDEX].decode().splitlines()[2].split(",")[5]
        text = start + "".join(one.replace("{ref}", ref) for one in rows)
        files["reports/population.csv"] = text.encode()

    return with_files(change)


def said(**members: object) -> Forge:
    return lambda out: pack_of(files_of(history()), out, manifest=lambda one: one.update(members))


def signed(change: Callable[[Json], object]) -> Forge:
    return lambda out: pack_of(files_of(history()), out, envelope=change)


def and_entry(line: bytes, **gone: bytes) -> Forge:
    def forge(out: Path) -> Path:
        return pack_of({**files_of([*history(), line]), **gone}, out, size=4)

    return forge


def marker(kind: str, data: Json) -> Forge:
    return and_entry(entry(3, kind, data), **{names.DISCLOSURES: b""})


def padded(one: Json) -> None:
    """Spell the payload's last letter otherwise, with bits that mean nothing."""
    text = one["payload"].rstrip("=")
    assert len(text) % 4
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(text[-1]) + 1]
    one["payload"] = text[:-1] + last + "=" * (-len(text) % 4)


def nested(levels: int) -> list[Any]:
    """Return lists in lists."""
    return [nested(levels - 1)] if levels else []


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


def from_entry_2(*lines: bytes) -> Forge:
    """Return what writes a pack of all but the first two entries and the run's end."""

    def forge(out: Path) -> Path:
        whole = [*history()[:2], *lines]
        files = part_of(files_of(whole), 2, whole)
        span = [2, len(whole)]
        return pack_of(files, out, manifest=lambda one: one.update(range=span))

    return forge


BEGUN = [b64(leaf_hash(one)) for one in history()]
OTHER, LATER = (goes_on(at, "r2", 1, BEGUN[1]) for at in (2, 3))
# Runs that were under way before the entries that a pack holds, and the codes of the failures.
CHAIN_STORIES: dict[str, tuple[Forge, str]] = {
    "a run that goes on from an entry before": (from_entry_2(goes_on(2, "r1", 1, BEGUN[1])), ""),
    "a run that begins here": (from_entry_2(goes_on(2, "r2", 0, "")), ""),
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


FLAGGED = respelt(entry(3, "access.read", {}), b'"rseq":0', b'"rseq":true')


def revoked(**data: object) -> Forge:
    return and_entry(entry(3, "key.revoke", data))


HOSTILE: dict[str, tuple[Forge, int]] = {
    "nothing odd": (with_files(lambda _: None), 0),
    **{
        f"the last line end of {name} missing": (cut(name), 1)
        for name in (names.ENTRIES, names.INDEX, names.DISCLOSURES, names.SUBJECTS)
    },
    "a byte order mark before the index": (edited(names.INDEX, b"idx", BOM + b"idx"), 1),
    "a byte order mark before a row": (edited(names.INDEX, b"\n1,", b"\n" + BOM + b"1,"), 1),
    "a tab in a signature line": (and_line(b"ev\til AAAAAAAA"), 1),
    "no UTF-8 in a signature line": (and_line(b"ev\xffil AAAAAAAA"), 1),
    "a signature line without a signature": (and_line(b"x AAAAAA=="), 1),
    "a signature line of somebody unknown": (and_line(b"x AAAAAAAA"), 0),
    "a negative size": (head(lambda _: note_over(history(), size=-1)), 1),
    "a size of thirty digits": (head(lambda _: note_over(history(), size="1" * 30)), 1),
    "an odd name of a kept head": (beside("checkpoints/0000000000002", b"no head"), 0),
    "a range of three": (said(range=[0, 3, 4]), 2),
    "a range beyond all integers": (said(range=[0, 2**53]), 2),
    "no list of files": (said(files=[]), 2),
    "no list of keys": (said(log_vkeys={PIN: 1}), 2),
    "an integer that not everybody can hold": (said(extra=2**60), 2),
    "names that are not sorted alike everywhere": (said(**{"\uffff": 1, "\U00010000": 2}), 2),
    "a value deeper than a reader goes": (said(extra=nested(40)), 2),
    "an envelope's payload in another spelling": (signed(padded), 1),
    "a signature without a key": (signed(lambda one: one["signatures"].append({"sig": "x"})), 1),
    "a signature that is a text": (signed(lambda one: one["signatures"].append("x")), 1),
    "an envelope with a fraction": (signed(lambda one: one.update(x=1.0)), 1),
    "a proof under a name that none has": (beside("proofs/01.tlog-proof", b"no proof"), 0),
    "a proof for an entry far away": (beside("proofs/9999999999999999.tlog-proof", b"x"), 1),
    "a sample of a run that none is": (beside("samples/a b/entries.jsonl", b"no entry\n"), 0),
    "a place with a zero before it": (beside(names.CONTEXT, b"07\tx\n"), 1),
    "a place of five thousand digits": (beside(names.CONTEXT, b"9" * 5000 + b"\tx\n"), 1),
    "a payload with a member too many": (edited(names.DISCLOSURES, b'{"d"', b'{"a b":1,"d"'), 1),
    "a payload without a salt": (edited(names.DISCLOSURES, b64(SALT).encode(), b""), 1),
    "zeros behind a salt": (
        edited(names.DISCLOSURES, b64(SALT).encode(), b64(SALT + bytes(8)).encode()),
        1,
    ),
    "a person who is a number": (edited(names.SUBJECTS, b'"slack:T0ABC:U0RITA"', b"5"), 1),
    "a report in its order": (report(STARTED, FINISHED), 0),
    "a report in another order": (report(FINISHED, STARTED), 1),
    "a report with a byte order mark": (report(STARTED, start="\ufeff" + HEAD), 1),
    "a row that ends twice": (report(STARTED.replace("{more}", "a\rb")), 1),
    "a row with no more than it must": (
        report(STARTED.replace(",{more}", ""), start=HEAD.replace(",more", "")),
        0,
    ),
    "a cell that nobody closes": (
        report(STARTED.replace("U0RITA,", 'U0RITA"",').replace(",slack", ',"slack')),
        1,
    ),
    "a year that there is not": (
        and_entry(entry(3, "access.read", {}, ts="0000-01-01T00:00:00.000Z")),
        1,
    ),
    "an entry's id a second time": (and_entry(entry(2, "access.read", {})), 1),
    "a flag for a count": (and_entry(FLAGGED), 1),
    "the end of a key that is no text": (revoked(id=[1], **{"from": 0}), 1),
    "the end of no key": (revoked(**{"from": 0}), 1),
    "a key's end at a text": (revoked(id=key_id(public(WRITER)), **{"from": "x"}), 1),
    "a log key's end at a text": (revoked(id=key_id(public(LOG)), **{"from": "x"}), 1),
    "the revocation of the key that signs it": (
        and_entries(ends(3, WRITER, by=WRITER, **{"from": 3})),
        3,
    ),
    "a key retired from an entry on": (
        and_entry(entry(3, "key.retire", {"id": key_id(public(WRITER)), "from": 0})),
        0,
    ),
    "an erasure": (marker("erasure", {"items": [[1, "message"]]}), 0),
    "an erasure with something odd beside": (
        marker("erasure", {"items": ["x", [1, "message"]]}),
        0,
    ),
    "an erasure at a text": (marker("erasure", {"items": [["1", "message"]]}), 1),
    "an erasure at a flag": (marker("erasure", {"items": [[True, "message"]]}), 1),
    "an erasure of three": (marker("erasure", {"items": [[1, "message", 2]]}), 1),
    "a sweep before a flag": (
        marker("retention.sweep", {"cls": "personal.content", "before": True}),
        1,
    ),
}

"""Packs that nobody would write, signed by whoever holds all keys of the log.

What breaks no hash and no signature is found by its form alone, so all verifiers of a pack have
to read alike. Keys and salts are those of AUDIT.md section 17.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from storage.checkpoint import Checkpoint, VerifierKey, key_id, signature_line
from storage.entry_bytes import ENTRY_TYPE, body_of, leaf_hash, pae, seal
from storage.evidence import names
from storage.evidence.reports.columns import CHANGES, COLUMNS, COMMON, POPULATION, RETENTION
from storage.journal import pseudonym
from storage.proofs import inclusion, tlog_proof
from storage.tree import Tree
from workflows.binding import canonical, commitment

ORIGIN = "interlock.example/audit/T0ABC"
LOG, WRITER, STRANGER = (
    Ed25519PrivateKey.from_private_bytes(bytes(range(at, at + 32))) for at in (0, 32, 64)
)
SALT, SUBJECT_KEY = bytes(range(0xA0, 0xC0)), bytes(range(0xC0, 0xE0))
RITA, MESSAGE = "slack:T0ABC:U0RITA", "déploie".encode()
TOLD = {
    "run.started": POPULATION,
    "key.add": CHANGES,
    "key.retire": CHANGES,
    "key.revoke": CHANGES,
    "erasure": RETENTION,
    "retention.sweep": RETENTION,
}
Files = dict[str, bytes]
Json = dict[str, Any]


def public(key: Ed25519PrivateKey) -> bytes:
    """Return the raw public key."""
    return key.public_key().public_bytes_raw()


def b64(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


PIN = str(VerifierKey(ORIGIN, public(LOG)))


def entry(
    number: int,
    kind: str,
    data: Json,
    *,
    by: Ed25519PrivateKey = WRITER,
    **members: object,
) -> bytes:
    """Return the line of an entry outside a run, signed by that key."""
    return seal(
        {
            "actor": {"ref": "interlock", "t": "system"},
            "data": data,
            "id": f"{number:032x}",
            "key": key_id(public(by)),
            "kind": kind,
            "log": ORIGIN,
            "parts": {},
            "prev": "",
            "rseq": 0,
            "run": None,
            "ts": f"2026-03-02T09:00:0{number}.000Z",
            "v": 1,
            **members,
        },
        by.sign,
    )


def respelt(line: bytes, old: bytes, new: bytes) -> bytes:
    """Return a line that says something in other bytes, signed as it is."""
    body = body_of(line).replace(old, new, 1)
    return b'%b,"sig":"%b"%b' % (
        body[:-39],
        b64(WRITER.sign(pae(ENTRY_TYPE, body))).encode(),
        body[-39:],
    )


def history() -> list[bytes]:
    """Return the lines of a log with one run, which was asked for in words."""
    keys = {"entry_keys": [b64(public(WRITER))], "log_vkeys": [PIN]}
    part = {"c": commitment(SALT, "message", MESSAGE), "cls": "personal.content", "len": 8}
    rita = {"ref": pseudonym(SUBJECT_KEY, RITA), "t": "user"}
    asked = {"trigger": "slash", "version": "6" * 64, "workflow": "deploy"}
    started = entry(1, "run.started", asked, run="r1", parts={"message": part}, actor=rita)
    after = {"run": "r1", "rseq": 1, "prev": b64(leaf_hash(started))}
    return [
        entry(0, "log.init", keys),
        started,
        entry(2, "run.finished", {"outcome": "done"}, **after),
    ]


def note_over(lines: list[bytes], *, size: object = None, by: Ed25519PrivateKey = LOG) -> bytes:
    """Return the signed head over some lines, or the one that claims another size."""
    tree = Tree()
    tree.extend(map(leaf_hash, lines))
    text = Checkpoint(ORIGIN, tree.size, tree.root()).text
    text = text if size is None else text.replace(f"\n{tree.size}\n", f"\n{size}\n")
    line = signature_line(VerifierKey(ORIGIN, public(by)), by.sign(text.encode()))
    return f"{text}\n{line}".encode()


def files_of(lines: list[bytes]) -> Files:
    """Return the files of a whole pack, but for the manifest."""
    tree = Tree()
    tree.extend(map(leaf_hash, lines))
    person = {"id": RITA, "k": b64(SUBJECT_KEY), "ref": pseudonym(SUBJECT_KEY, RITA)}
    payload: Json = {"d": b64(MESSAGE), "i": 1, "n": "message", "s": b64(SALT)}
    return {
        names.ENTRIES: b"".join(b"%b\n" % one for one in lines),
        names.LEAVES: b"".join(map(leaf_hash, lines)),
        names.CONTEXT: b"",
        names.DISCLOSURES: canonical(payload) + b"\n",
        names.SUBJECTS: canonical(person) + b"\n",
        names.INDEX: "\n".join(
            [names.INDEX_COLUMNS, *map(_row, range(len(lines)), lines), ""]
        ).encode(),
        names.STATE: canonical({"frontier": tree.dump().hex(), "size": tree.size}),
        names.CHECKPOINT: note_over(lines),
        names.checkpoint_name(tree.size): note_over(lines),
        names.README: b"read me",
        names.SCRIPT: b"a verifier",
        **_reports(lines),
    }


def _reports(lines: list[bytes], start: int = 0) -> Files:
    """Return every report, its rows with no more than they repeat of the entries from `start`."""
    header = ",".join(COMMON)
    rows: dict[str, list[str]] = {report: [header] for report in COLUMNS}
    for index, line in enumerate(lines[start:], start):
        place, run, _, ts, kind, ref = _row(index, line).split(",")
        if kind in TOLD:
            rows[TOLD[kind]].append(
                f"{place},{ts},{kind},{run},{ref},{RITA if ref.startswith('s:') else ''}"
            )
    return {names.report_name(one): "\n".join([*told, ""]).encode() for one, told in rows.items()}


def _row(index: int, line: bytes) -> str:
    said = json.loads(line)
    run, ref = said["run"] or "", said["actor"]["ref"]
    return f"{index},{run},{said['rseq']},{said['ts']},{said['kind']},{ref}"


def range_of(files: Files, start: int, lines: list[bytes]) -> Files:
    """Return the files of a pack over the entries from `start` on, of those of the whole log."""
    rows = files[names.INDEX].splitlines(keepends=True)
    known = [(at, one) for at, one in enumerate(lines[:start]) if json.loads(one)["run"] is None]
    payload = files[names.DISCLOSURES]
    return {
        **files,
        names.ENTRIES: b"".join(b"%b\n" % one for one in lines[start:]),
        names.CONTEXT: b"".join(b"%d\t%b\n" % one for one in known),
        names.DISCLOSURES: payload if start <= 1 else b"",
        names.INDEX: b"".join([rows[0], *rows[start + 1 :]]),
        **_reports(lines, start),
    }


class _Leaves:
    """The hashes of a log that is shorter than a tile."""

    def __init__(self, lines: list[bytes]) -> None:
        self._leaves = list(map(leaf_hash, lines))

    def block(self, level: int, number: int) -> list[bytes]:
        assert (level, number) == (0, 0)
        return self._leaves


def proof_of(lines: list[bytes], index: int) -> bytes:
    """Return the proof that an entry stands in the log, under the head over some lines."""
    path = inclusion(_Leaves(lines), index, len(lines))
    return tlog_proof(index, path, note_over(lines).decode()).encode()


def part_of(lines: list[bytes], start: int) -> Files:
    """Return the files of a pack of the entries from `start` on, none of them in a run."""
    files, rows = files_of(lines), files_of(lines)[names.INDEX].splitlines(keepends=True)
    return {
        **files,
        names.ENTRIES: b"".join(b"%b\n" % one for one in lines[start:]),
        names.INDEX: b"".join([rows[0], *rows[start + 1 :]]),
        names.DISCLOSURES: b"",
        names.SUBJECTS: b"",
        **_reports([]),
    }


def _ts(files: Files, row: int) -> str:
    """Return when an entry was, as its row of the index says."""
    rows = files.get(names.INDEX, b"").decode().split("\n")
    return rows[row].split(",")[3] if row < len(rows) else "no moment"


def no_change(_files: Json) -> None:
    """Leave it as it is."""


def pack_of(
    files: Files,
    out: Path,
    *,
    start: int = 0,
    size: int = 3,
    manifest: Callable[[Json], object] = no_change,
    envelope: Callable[[Json], object] = no_change,
) -> Path:
    """Write a pack with these files, listed and signed; return its folder."""
    listed = {
        name: {"bytes": len(one), "sha256": hashlib.sha256(one).hexdigest()}
        for name, one in files.items()
    }
    said: Json = {"disclosure": "all", "files": listed, "format": names.FORMAT, "origin": ORIGIN}
    said |= {"log_vkeys": [PIN], "range": [start, size], "tool": "x", "size": size}
    said |= {"created": "2026-03-02T10:00:00.000Z", "entry_type": names.ENTRY_TYPE}
    said["period"] = [_ts(files, 1), _ts(files, size - start)]
    manifest(said)
    payload = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    signature = b64(LOG.sign(pae(names.MANIFEST_TYPE, payload)))
    signed: Json = {"payload": b64(payload), "payloadType": names.MANIFEST_TYPE.decode()}
    signed["signatures"] = [{"keyid": key_id(public(LOG)), "sig": signature}]
    envelope(signed)
    own = {names.MANIFEST: payload, names.SIGNATURE: json.dumps(signed).encode()}
    for name, content in {**files, **own}.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    return out

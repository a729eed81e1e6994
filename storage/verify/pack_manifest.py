"""The manifest of a pack: what it says, and whether a key of the log signed it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.checkpoint import is_signature
from storage.entry_bytes import DECODER, MOST_INTEGER, MOST_LEVELS, decode64, pae
from storage.evidence import names
from storage.verify.broken import BrokenPackError
from storage.verify.keyring import KeyRing
from storage.verify.members import is_count
from storage.verify.pack_files import PackFiles, read_small
from storage.verify.report import Report
from workflows.binding import canonical

SIGNATURE_BYTES = 64
BOUNDS = 2
ENVELOPE, LINE = {"payloadType", "payload", "signatures"}, {"keyid", "sig"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How many runs were drawn, and with which word."""

    count: int
    seed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadManifest:
    """A manifest as it was read; `payload` are its bytes."""

    payload: bytes
    origin: str
    start: int
    end: int
    is_selected: bool
    size: int
    period: tuple[str, ...]
    sample: Sample | None
    log_vkeys: tuple[str, ...]
    files: Mapping[str, dict[str, object]]


def read_manifest(files: PackFiles) -> ReadManifest:
    """Return the manifest of a pack.

    Raises:
        BrokenPackError: there is none, or it is of another format.
    """
    payload = read_small(files, names.MANIFEST)
    try:
        return _manifest(payload, DECODER.decode(payload.decode()))
    except RecursionError:
        raise BrokenPackError("The manifest is malformed: it has too many levels.") from None
    except ValueError as error:
        raise BrokenPackError(f"The manifest is malformed: {error}.") from error


def _manifest(payload: bytes, said: dict[str, Any]) -> ReadManifest:
    if not is_plain(said) or canonical(said) != payload:
        raise ValueError("it is not in canonical form")
    fault = _fault(said) or _fault_beside(said)
    if fault:
        raise ValueError(fault)
    start, end = said["range"]
    sample = said.get("filters", {}).get("sample")
    return ReadManifest(
        payload=payload,
        origin=said["origin"],
        start=start,
        end=end,
        is_selected=said["disclosure"] == "selected",
        size=said["size"],
        period=tuple(said.get("period", ())),
        sample=None if sample is None else Sample(count=sample["count"], seed=sample["seed"]),
        log_vkeys=tuple(said["log_vkeys"]),
        files=dict(said["files"]),
    )


def is_plain(value: object, depth: int = 1) -> bool:
    """Say whether a value is one that all readers read alike: integers, few levels, ASCII names."""
    if isinstance(value, (dict, list)) and depth > MOST_LEVELS:
        return False
    if isinstance(value, dict):
        return all(name.isascii() and is_plain(one, depth + 1) for name, one in value.items())
    if isinstance(value, list):
        return all(is_plain(one, depth + 1) for one in value)
    return not isinstance(value, int) or -MOST_INTEGER <= value <= MOST_INTEGER


def _fault(said: object) -> str:
    """Return what a manifest cannot say, nothing if it says all that it has to."""
    if not isinstance(said, dict) or said.get("format") != names.FORMAT:
        return f"its format is not {names.FORMAT}"
    span, listed, keys = said.get("range"), said.get("files"), said.get("log_vkeys")
    if not isinstance(span, list) or len(span) != BOUNDS or not all(map(is_count, span)):
        return "it names no range"
    if span[0] > span[1]:
        return "it names no range"
    if said.get("disclosure") not in ("all", "selected"):
        return "it does not say what is disclosed"
    if not isinstance(listed, dict) or not all(isinstance(one, dict) for one in listed.values()):
        return "it lists no files"
    if not isinstance(keys, list) or not all(isinstance(one, str) for one in keys):
        return "it names no keys"
    return "" if isinstance(said.get("origin"), str) else "it names no log"


def _fault_beside(said: dict[str, Any]) -> str:
    """Return what a manifest cannot say of how the pack was made."""
    if said.get("entry_type") != names.ENTRY_TYPE:
        return f"its entries are not of {names.ENTRY_TYPE}"
    if not is_count(said.get("size")):
        return "it names no size"
    if not isinstance(said.get("created"), str) or not isinstance(said.get("tool"), str):
        return "it does not say what made it, and when"
    # Of no entries there is no period.
    is_empty = said["range"][0] == said["range"][1]
    if not _is_period(said.get("period", [] if is_empty else None), 0 if is_empty else BOUNDS):
        return "it names no period"
    filters = said.get("filters", {})
    sample = filters.get("sample", {"count": 0, "seed": ""}) if isinstance(filters, dict) else None
    if not isinstance(sample, dict) or not is_count(sample.get("count")):
        return "its filters are malformed"
    return "" if isinstance(sample.get("seed"), str) else "its filters are malformed"


def _is_period(said: object, most: int) -> bool:
    return isinstance(said, list) and len(said) == most and all(isinstance(x, str) for x in said)


def judge_manifest(files: PackFiles, manifest: ReadManifest, ring: KeyRing, report: Report) -> None:
    """Check that the log's own key signed the manifest, and that it speaks of this log."""
    if manifest.origin != ring.origin:
        report.fail("wrong-log", f"The manifest is for the log {manifest.origin}.")
    if list(manifest.log_vkeys) != [str(one) for one in ring.genesis]:
        report.fail("genesis", "The manifest names other first keys than the log.")
    if names.SIGNATURE not in files.names():
        report.doubt("manifest-unsigned", "Nobody signed the manifest.")
        return
    try:
        is_signed = _is_signed(read_small(files, names.SIGNATURE), manifest.payload, ring)
    except BrokenPackError as error:
        report.fail("manifest-signature", f"The manifest's signature is malformed: {error}")
        return
    except (AttributeError, ValueError, RecursionError):
        report.fail("manifest-signature", "The manifest's signature is malformed.")
        return
    if not is_signed:
        report.fail("manifest-signature", "No key of the log signed this manifest.")


def _is_signed(envelope: bytes, payload: bytes, ring: KeyRing) -> bool:
    said = DECODER.decode(envelope.decode())
    if said.keys() != ENVELOPE or not isinstance(said["signatures"], list):
        raise ValueError("it is no envelope")
    if any(one.keys() != LINE or type(one["keyid"]) is not str for one in said["signatures"]):
        raise ValueError("a signature is none")
    # The one spelling of its base64: another one would be a change that nobody signed.
    told = (names.MANIFEST_TYPE.decode(), base64.b64encode(payload).decode())
    if (said["payloadType"], said["payload"]) != told:
        return False
    message = pae(names.MANIFEST_TYPE, payload)
    # Whoever stole a key that was ended since could list other files under it.
    known = {one.key.id: one for one in ring.log_keys if one.ended_at is None}
    results = [
        is_signature(known[one["keyid"]].key.public, decode64(one["sig"], SIGNATURE_BYTES), message)
        for one in said["signatures"]
        if one["keyid"] in known
    ]
    # As with notes: one bad line under a known key rejects it.
    return bool(results) and all(results)

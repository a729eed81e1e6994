"""The manifest of a pack: what it says, and whether a key of the log signed it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.checkpoint import is_signature
from storage.entry_bytes import DECODER, MalformedEntryError, decode64, pae
from storage.evidence import names
from storage.verify.keyring import KeyRing
from storage.verify.pack_files import BrokenPackError, PackFiles, read_small
from storage.verify.report import Report
from workflows.binding import canonical

SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadManifest:
    """A manifest as it was read; `payload` are its bytes."""

    payload: bytes
    origin: str
    start: int
    end: int
    is_selected: bool
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
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BrokenPackError(f"The manifest is malformed: {error}.") from error


def _manifest(payload: bytes, said: dict[str, Any]) -> ReadManifest:
    if canonical(said) != payload:
        raise ValueError("it re-encodes to other bytes")
    if said["format"] != names.FORMAT:
        raise ValueError(f"its format is {said['format']!r}, not {names.FORMAT!r}")
    start, end = said["range"]
    if type(start) is not int or type(end) is not int or not 0 <= start <= end:
        raise ValueError("its range is none")
    if said["disclosure"] not in {"all", "selected"}:
        raise ValueError("its disclosure is unknown")
    listed = said["files"]
    if not all(isinstance(one, dict) for one in listed.values()):
        raise ValueError("its files are malformed")
    return ReadManifest(
        payload=payload,
        origin=str(said["origin"]),
        start=start,
        end=end,
        is_selected=said["disclosure"] == "selected",
        log_vkeys=tuple(str(one) for one in said["log_vkeys"]),
        files=dict(listed),
    )


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
    except (BrokenPackError, MalformedEntryError, KeyError, TypeError, ValueError) as error:
        report.fail("manifest-signature", f"The manifest's signature is malformed: {error}.")
        return
    if not is_signed:
        report.fail("manifest-signature", "No key of the log signed this manifest.")


def _is_signed(envelope: bytes, payload: bytes, ring: KeyRing) -> bool:
    said = DECODER.decode(envelope.decode())
    if said["payloadType"] != names.MANIFEST_TYPE.decode():
        raise ValueError("another type")
    if base64.b64decode(said["payload"], validate=True) != payload:
        return False
    message = pae(names.MANIFEST_TYPE, payload)
    known = {one.key.id: one for one in ring.log_keys}
    results = [
        is_signature(known[one["keyid"]].key.public, decode64(one["sig"], SIGNATURE_BYTES), message)
        for one in said["signatures"]
        if one["keyid"] in known
    ]
    # As with notes: one bad line under a known key rejects it.
    return bool(results) and all(results)

"""The manifest of a pack: every file with its hash, and the log key's signature over that."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from storage.checkpoint import Signer, read_vkey
from storage.entry_bytes import pae
from storage.evidence import names
from storage.evidence.pack import Pack
from storage.heads import first_vkeys
from workflows.binding import canonical
from workflows.entry import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a pack says of itself beside its files."""

    origin: str
    start: int
    end: int
    size: int
    disclosure: str
    created: str
    tool: str
    filters: Mapping[str, Json] = field(default_factory=dict)
    period: tuple[str, str] | None = None  # What the first and the last entry say.


def write_manifest(connection: Connection, pack: Pack, manifest: Manifest, signer: Signer) -> str:
    """Write manifest and signature; return the hex SHA-256 of the manifest."""
    members: dict[str, Json] = {
        "format": names.FORMAT,
        "origin": manifest.origin,
        "entry_type": names.ENTRY_TYPE,
        "range": [manifest.start, manifest.end],
        "size": manifest.size,
        "disclosure": manifest.disclosure,
        "log_vkeys": first_vkeys(connection),
        "files": dict(pack.files),
        "created": manifest.created,
        "tool": manifest.tool,
    }
    if manifest.filters:
        members["filters"] = dict(manifest.filters)
    if manifest.period is not None:
        members["period"] = list(manifest.period)
    payload = canonical(members)
    pack.put_unlisted(names.MANIFEST, payload)
    pack.put_unlisted(names.SIGNATURE, canonical(_envelope(payload, signer)))
    return hashlib.sha256(payload).hexdigest()


def _envelope(payload: bytes, signer: Signer) -> Json:
    signature = signer.sign(pae(names.MANIFEST_TYPE, payload))
    return {
        "payloadType": names.MANIFEST_TYPE.decode(),
        "payload": base64.b64encode(payload).decode(),
        "signatures": [
            {
                "keyid": read_vkey(signer.vkey).id,
                "sig": base64.b64encode(signature).decode(),
            }
        ],
    }

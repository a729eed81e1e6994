"""A C2SP witness that really checks, with other people's code: `tlog-scales`."""

import base64
import hashlib
import time
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tlog_scales.signing import NoteSignature, Vkey
from tlog_scales.tlog import Checkpoint, ConsistencyProof, ConsistencyProofInvalid

from tests.bot.anchors.answering import Asked, Said

NAME = "witness.example/w1"
NOTHING = hashlib.sha256(b"").digest()


@dataclass
class PretendWitness:
    """Knows one log by its key, and remembers the newest head it cosigned."""

    log_vkey: str
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    size: int = 0
    root: bytes = NOTHING
    asked: list[int] = field(default_factory=list)  # The old sizes that came.

    @property
    def key(self) -> Vkey:
        return Vkey(NAME, None, 4, self.private.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        return str(self.key.serialize())

    def __call__(self, asked: Asked) -> Said:
        if asked.path != "/submit/add-checkpoint":
            return Said(404, b"")
        head, _, note = asked.body.decode().partition("\n\n")
        first, *hashes = head.split("\n")
        old, seen = int(first.removeprefix("old ")), Checkpoint.from_text(note)
        self.asked.append(old)
        try:
            seen.verify(Vkey.from_string(self.log_vkey))
        except (InvalidSignature, RuntimeError):
            return Said(403, b"")
        if old > seen.size:
            return Said(400, b"")
        is_other = old == seen.size == self.size and seen.root_hash != self.root
        if old != self.size or is_other:
            return Said(409, f"{self.size}\n".encode(), "text/x.tlog.size")
        proof = ConsistencyProof(old, seen.size, [base64.b64decode(one) for one in hashes])
        try:
            proof.check(self.root, seen.root_hash)
        except ConsistencyProofInvalid:
            return Said(422, b"")
        self.size, self.root = seen.size, seen.root_hash
        return Said(200, f"{self._line(seen)}\n".encode(), "text/plain")

    def _line(self, seen: Checkpoint) -> str:
        now = int(time.time())
        signed = f"cosignature/v1\ntime {now}\n{seen.serialize_body()}".encode()
        payload = now.to_bytes(8, "big") + self.private.sign(signed)
        return str(NoteSignature.from_vkey_signature(self.key, payload).serialize())

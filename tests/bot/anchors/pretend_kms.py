"""A stand-in for AWS KMS with one Ed25519 key: it answers only what is signed as AWS wants it."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.bot.anchors.answering import Asked, Said

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # The example on pages of AWS itself.
KEY = "alias/interlock-heads"


@dataclass
class PretendKms:
    """One account with one key. `secret` is what requests have to be signed with."""

    secret: str = SECRET
    spec: str = "ECC_NIST_EDWARDS25519"
    is_away: bool = False
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    asked: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Said:
        if self.is_away:
            return Said(503, b"")
        if fault := self._fault(asked):
            return _refusal(fault)
        operation = asked.headers["x-amz-target"].removeprefix("TrentService.")
        self.asked.append(operation)
        told = json.loads(asked.body)
        if told["KeyId"] != KEY:
            return _refusal("NotFoundException")
        return self._public() if operation == "GetPublicKey" else self._sign(told)

    def _public(self) -> Said:
        public = self.private.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return _json({"KeySpec": self.spec, "PublicKey": base64.b64encode(der).decode()})

    def _sign(self, told: dict[str, str]) -> Said:
        if (told["MessageType"], told["SigningAlgorithm"]) != ("RAW", "ED25519_SHA_512"):
            return _refusal("ValidationException")
        signature = self.private.sign(base64.b64decode(told["Message"]))
        return _json({"KeyId": KEY, "Signature": base64.b64encode(signature).decode()})

    def _fault(self, asked: Asked) -> str:
        """Return what AWS would say of the signature over a request, nothing if it is good."""
        scheme, _, rest = asked.headers["authorization"].partition(" ")
        fields = dict(one.strip().split("=", 1) for one in rest.split(","))
        _access, day, region, service, end = fields["Credential"].split("/")
        names = fields["SignedHeaders"].split(";")
        if scheme != "AWS4-HMAC-SHA256" or not {"host", "x-amz-date", "x-amz-target"} <= {*names}:
            return "IncompleteSignature"
        at = datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(datetime.now(UTC) - at) > timedelta(minutes=5) or service != "kms":
            return "InvalidSignatureException"
        canonical = "\n".join(
            [
                "POST",
                asked.path,
                "",
                *(f"{name}:{asked.headers[name].strip()}" for name in names),
                "",
                ";".join(names),
                hashlib.sha256(asked.body).hexdigest(),
            ]
        )
        to_sign = "\n".join(
            [
                scheme,
                asked.headers["x-amz-date"],
                f"{day}/{region}/{service}/{end}",
                hashlib.sha256(canonical.encode()).hexdigest(),
            ]
        )
        key = ("AWS4" + self.secret).encode()
        for one in (day, region, service, end, to_sign):
            key = hmac.digest(key, one.encode(), "sha256")
        is_good = hmac.compare_digest(key.hex(), fields["Signature"])
        return "" if is_good else "InvalidSignatureException"


def _json(told: dict[str, str]) -> Said:
    return Said(200, json.dumps(told).encode(), "application/x-amz-json-1.1")


def _refusal(kind: str) -> Said:
    return Said(400, json.dumps({"__type": kind}).encode(), "application/x-amz-json-1.1")

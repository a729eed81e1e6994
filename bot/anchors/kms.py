"""A log key that never leaves its device: AWS KMS, asked over HTTPS.

The key is of the spec ECC_NIST_EDWARDS25519; KMS signs with it as ED25519_SHA_512 over the raw
message, which is the Ed25519 of every verifier. Both calls of it are network calls, so none of
them belongs into a transaction.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from bot.anchors.calling import AnchorError
from bot.aws import AwsRefusedError, AwsService
from bot.calling import CallError
from storage.checkpoint import VerifierKey

SPEC, ALGORITHM = "ECC_NIST_EDWARDS25519", "ED25519_SHA_512"


@dataclass(frozen=True, kw_only=True)
class KmsSigner:
    """Signs heads of the log `origin` with the key `key` (an id, ARN or alias) in KMS.

    Everything raises `AnchorError` while KMS does not answer, or refuses.
    """

    origin: str
    key: str
    kms: AwsService

    @cached_property
    def _verifier(self) -> VerifierKey:
        told = self._ask("GetPublicKey", {"KeyId": self.key})
        if told.get("KeySpec") != SPEC:
            raise AnchorError(
                f"The key in KMS is of the spec {told.get('KeySpec')}.",
                hint=f"Make one with the key spec {SPEC} and the usage SIGN_VERIFY.",
            )
        try:
            public = load_der_public_key(_bytes(told, "PublicKey"))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise AnchorError("KMS gave a public key that cannot be read.") from error
        if not isinstance(public, Ed25519PublicKey):
            raise AnchorError("KMS gave a public key of another kind than Ed25519.")
        return VerifierKey(self.origin, public.public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def vkey(self) -> str:
        """Return the verifier key, asked for once."""
        return str(self._verifier)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`, checked with the public half."""
        asked = {
            "KeyId": self.key,
            "Message": base64.b64encode(message).decode(),
            "MessageType": "RAW",
            "SigningAlgorithm": ALGORITHM,
        }
        signature = _bytes(self._ask("Sign", asked), "Signature")
        if not self._verifier.verifies(signature, message):
            raise AnchorError("KMS gave a signature that its own public key does not verify.")
        return signature

    def _ask(self, operation: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            return self.kms.ask(operation, asked)
        except (CallError, AwsRefusedError) as error:
            raise AnchorError(error.message) from error


def _bytes(told: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(str(told.get(name, "")), validate=True)
    except binascii.Error as error:
        raise AnchorError(f"KMS gave a {name} that is no base64.") from error

"""A stand-in for AWS KMS with one key to sign and one to encrypt with."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.bot.anchors.answering import Asked, Said
from tests.bot.anchors.pretend_aws import json_said, refusal, signature_fault

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # The example on pages of AWS itself.
KEY = "alias/interlock-heads"


@dataclass
class PretendKms:
    """One account with one key. `secret` is what requests have to be signed with."""

    secret: str = SECRET
    spec: str = "ECC_NIST_EDWARDS25519"
    is_away: bool = False
    trouble: str = ""  # What it answers with instead, if anything.
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    asked: list[str] = field(default_factory=list)
    wraps: bytes = b"w" * 32  # Its key for what it encrypts.

    def __call__(self, asked: Asked) -> Said:
        if self.is_away:
            return Said(503, b"")
        if fault := signature_fault(asked, secret=self.secret, service="kms"):
            return refusal(fault)
        if self.trouble:
            return refusal(self.trouble)
        operation = asked.headers["x-amz-target"].removeprefix("TrentService.")
        self.asked.append(operation)
        told = json.loads(asked.body)
        if told["KeyId"] != KEY:
            return refusal("NotFoundException")
        operations = {
            "GetPublicKey": self._public,
            "Sign": self._sign,
            "Encrypt": self._encrypt,
            "Decrypt": self._decrypt,
        }
        return operations[operation](told)

    def _public(self, _told: Mapping[str, Any]) -> Said:
        public = self.private.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return json_said({"KeySpec": self.spec, "PublicKey": base64.b64encode(der).decode()})

    def _sign(self, told: Mapping[str, Any]) -> Said:
        if (told["MessageType"], told["SigningAlgorithm"]) != ("RAW", "ED25519_SHA_512"):
            return refusal("ValidationException")
        signature = self.private.sign(base64.b64decode(told["Message"]))
        return json_said({"KeyId": KEY, "Signature": base64.b64encode(signature).decode()})

    def _encrypt(self, told: Mapping[str, Any]) -> Said:
        context = json.dumps(told["EncryptionContext"], sort_keys=True).encode()
        sealed = AESGCM(self.wraps).encrypt(bytes(12), base64.b64decode(told["Plaintext"]), context)
        return json_said({"KeyId": KEY, "CiphertextBlob": base64.b64encode(sealed).decode()})

    def _decrypt(self, told: Mapping[str, Any]) -> Said:
        context = json.dumps(told["EncryptionContext"], sort_keys=True).encode()
        sealed = base64.b64decode(told["CiphertextBlob"])
        try:
            plain = AESGCM(self.wraps).decrypt(bytes(12), sealed, context)
        except InvalidTag:
            return refusal("InvalidCiphertextException")
        return json_said({"KeyId": KEY, "Plaintext": base64.b64encode(plain).decode()})

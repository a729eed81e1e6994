"""A master key that never leaves AWS KMS: it encrypts the sealing key and decrypts it."""

import base64
import binascii
from dataclasses import dataclass

from bot.aws import PASSING, AwsRefusedError, AwsService
from bot.calling import CallError
from storage.master_key import Master, another_key
from workflows.errors import SecretError, SecretUnreadableError

BY_KMS = b"\x02"
CHANGED = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsMaster:
    """Wraps by KMS. What was wrapped by a key before it came is unwrapped by `earlier`."""

    kms: AwsService
    key: str
    earlier: Master

    def wrap(self, key: bytes, *, aad: bytes) -> bytes:
        plain = base64.b64encode(key).decode()
        return BY_KMS + self._ask("Encrypt", "CiphertextBlob", aad, Plaintext=plain)

    def unwrap(self, wrapped: bytes, *, aad: bytes) -> bytes:
        if wrapped[: len(BY_KMS)] != BY_KMS:
            return self.earlier.unwrap(wrapped, aad=aad)
        sealed = base64.b64encode(wrapped[len(BY_KMS) :]).decode()
        return self._ask("Decrypt", "Plaintext", aad, CiphertextBlob=sealed)

    def settle(self) -> None:
        """Nothing is to be done: there is no file of it."""

    def _ask(self, operation: str, member: str, aad: bytes, **asked: str) -> bytes:
        context = {"interlock": aad.decode().replace("\0", " ")}
        try:
            told = self.kms.ask(
                operation, {"KeyId": self.key, "EncryptionContext": context, **asked}
            )
        except CallError as error:
            raise SecretUnreadableError(f"The master key: {error.message}") from error
        except AwsRefusedError as refusal:
            if refusal.kind in CHANGED:
                raise another_key() from refusal
            kind = SecretUnreadableError if refusal.kind in PASSING else SecretError
            raise kind(f"The master key cannot be used: {refusal.message}") from refusal
        try:
            return base64.b64decode(str(told.get(member, "")), validate=True)
        except binascii.Error as error:
            raise SecretError("KMS gave what is no base64.") from error

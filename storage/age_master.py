"""A master key that is an age identity: one file of its owner, made by `age-keygen`."""

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from storage.age import AgeError, AgeIdentity
from storage.keys import OTHERS
from storage.master_key import Master, another_key
from workflows.errors import SecretError

BY_AGE = b"\x03"
DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeMaster:
    """Wraps to the identity in `file`. What was wrapped before it is unwrapped by `earlier`.

    age binds what it encrypts to nothing else, so the digest of the use stands inside.
    """

    file: Path
    earlier: Master

    def wrap(self, key: bytes, *, aad: bytes) -> bytes:
        return BY_AGE + self._identity().encrypt(hashlib.sha256(aad).digest() + key)

    def unwrap(self, wrapped: bytes, *, aad: bytes) -> bytes:
        if wrapped[: len(BY_AGE)] != BY_AGE:
            return self.earlier.unwrap(wrapped, aad=aad)
        try:
            plain = self._identity().decrypt(wrapped[len(BY_AGE) :])
        except AgeError as error:
            raise another_key() from error
        if not hmac.compare_digest(plain[:DIGEST_BYTES], hashlib.sha256(aad).digest()):
            raise another_key()
        return plain[DIGEST_BYTES:]

    def settle(self) -> None:
        """Nothing is to be done: the file is its owner's."""

    def _identity(self) -> AgeIdentity:
        try:
            if self.file.stat().st_mode & OTHERS:
                raise SecretError(
                    f"Others may read {self.file.name}.",
                    hint=f"chmod 600 {self.file}; if somebody may have read it, make another.",
                )
            return AgeIdentity.read(self.file.read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError) as error:
            raise SecretError(f"{self.file.name} cannot be read: {error}.") from error
        except AgeError as error:
            raise SecretError(
                f"{self.file.name} cannot be used: {error}.", hint="Make one with: age-keygen"
            ) from error

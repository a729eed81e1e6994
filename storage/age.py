"""Encrypts small things to an age identity and decrypts them again (age-encryption.org/v1).

Only what a key needs: one X25519 recipient, which is that of the identity, and a payload of one
chunk. What is written here `age -d -i IDENTITY` reads, so a key can be had back without the bot.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"age-encryption.org/v1"
IDENTITY = "AGE-SECRET-KEY-"
KEY_BYTES, FILE_KEY_BYTES, NONCE_BYTES = 32, 16, 16
DIGIT_BITS, CHECK_DIGITS = 5, 6
_ALPHABET = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_WRAP_NONCE, _LAST_CHUNK = bytes(12), bytes(11) + b"\x01"
_STANZA = re.compile(rb"-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})\n")
_STANZAS = rb"(?:->[^\n]*\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)+"
_HEADER = re.compile(
    rb"\A(" + re.escape(VERSION) + rb"\n" + _STANZAS + rb"---) ([A-Za-z0-9+/]{43})\n"
)


class AgeError(Exception):
    """It is no identity, or nothing that this identity opens."""


@dataclass(frozen=True, slots=True)
class AgeIdentity:
    """A private key of age. It never prints itself."""

    _private: bytes = field(repr=False)

    @classmethod
    def read(cls, text: str) -> "AgeIdentity":
        """Return the one identity in a file as `age-keygen` writes it.

        Raises:
            AgeError: there is none, or more than one.
        """
        lines = [one.strip() for one in text.splitlines()]
        found = [one for one in lines if one and not one.startswith("#")]
        if len(found) != 1:
            raise AgeError("not exactly one identity")
        return cls(_unspelled(found[0]))

    def encrypt(self, plain: bytes) -> bytes:
        """Return an age file that holds `plain`, for this identity alone."""
        file_key = secrets.token_bytes(FILE_KEY_BYTES)
        ephemeral = X25519PrivateKey.generate()
        share = _raw(ephemeral.public_key())
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(self._public))
        wrapped = _wrapper(shared, share + self._public).encrypt(_WRAP_NONCE, file_key, None)
        stanza = b"-> X25519 " + _spelled64(share) + b"\n" + _spelled64(wrapped)
        header = VERSION + b"\n" + stanza + b"\n---"
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = _payload(file_key, nonce).encrypt(_LAST_CHUNK, plain, None)
        return header + b" " + _spelled64(_mac(file_key, header)) + b"\n" + nonce + sealed

    def decrypt(self, file: bytes) -> bytes:
        """Return what an age file holds.

        Raises:
            AgeError: it is none, was changed, or is for somebody else.
        """
        found = _HEADER.match(file)
        if found is None:
            raise AgeError("no age file")
        for share, wrapped in _STANZA.findall(found[1] + b"\n"):
            file_key = self._unwrapped(_read64(share), _read64(wrapped))
            if file_key is not None:
                return _opened(file_key, found, file[found.end() :])
        raise AgeError("for somebody else")

    @property
    def _public(self) -> bytes:
        return _raw(X25519PrivateKey.from_private_bytes(self._private).public_key())

    def _unwrapped(self, share: bytes, wrapped: bytes) -> bytes | None:
        private = X25519PrivateKey.from_private_bytes(self._private)
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(share))
            return _wrapper(shared, share + self._public).decrypt(_WRAP_NONCE, wrapped, None)
        except (InvalidTag, ValueError):  # A share of low order is a ValueError.
            return None


def _opened(file_key: bytes, header: re.Match[bytes], rest: bytes) -> bytes:
    if not hmac.compare_digest(_mac(file_key, header[1]), _read64(header[2])):
        raise AgeError("its header was changed")
    nonce, sealed = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    try:
        return _payload(file_key, nonce).decrypt(_LAST_CHUNK, sealed, None)
    except InvalidTag as error:
        raise AgeError("it was changed, or is of more than one chunk") from error


def _wrapper(shared: bytes, salt: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(_derived(shared, salt, VERSION + b"/X25519"))


def _payload(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"", b"header"), header, hashlib.sha256)


def _derived(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=salt, info=info).derive(key)


def _raw(key: X25519PublicKey) -> bytes:
    return key.public_bytes_raw()


def _spelled64(raw: bytes) -> bytes:
    return base64.b64encode(raw).rstrip(b"=")


def _read64(text: bytes) -> bytes:
    raw = base64.b64decode(text + b"=")
    if _spelled64(raw) != text:
        raise AgeError("its base64 is not canonical")
    return raw


def _unspelled(text: str) -> bytes:
    """Return the private key that `text` spells in Bech32 (BIP 173).

    Raises:
        AgeError: it spells none.
    """
    if not text.startswith(IDENTITY + "1"):
        raise AgeError("no identity of the kind X25519")
    digits = [_ALPHABET.find(sign) for sign in text.removeprefix(IDENTITY + "1")]
    prefix = IDENTITY.lower().encode()
    expanded = [*(one >> 5 for one in prefix), 0, *(one & 31 for one in prefix)]
    if -1 in digits or _polymod([*expanded, *digits]) != 1:
        raise AgeError("an identity that was mistyped")
    number = 0
    for digit in digits[:-CHECK_DIGITS]:
        number = number << DIGIT_BITS | digit
    spare = DIGIT_BITS * (len(digits) - CHECK_DIGITS) - 8 * KEY_BYTES
    if not 0 <= spare < DIGIT_BITS or number & ((1 << spare) - 1):
        raise AgeError("an identity of another length")
    return (number >> spare).to_bytes(KEY_BYTES, "big")


def _polymod(digits: list[int]) -> int:
    found = 1
    for digit in digits:
        top = found >> 25
        found = (found & 0x1FFFFFF) << 5 ^ digit
        for bit, generator in enumerate(_GENERATOR):
            found ^= generator if top >> bit & 1 else 0
    return found

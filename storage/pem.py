"""An Ed25519 private key as text in a file: PKCS #8 in PEM (RFC 8410).

What we write ourselves is read here. The library's reader knows every kind of key and cipher, so
it is imported only for what is written another way, and to write a new key.
"""

import base64
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# Version 0, algorithm 1.3.101.112, and an octet string of 34 bytes with one of 32 inside.
_PREFIX = bytes.fromhex("302e020100300506032b657004220420")
_OURS = re.compile(
    rb"-----BEGIN PRIVATE KEY-----\n([A-Za-z0-9+/]{64})\n-----END PRIVATE KEY-----\n"
)


def read_pem(data: bytes) -> object:
    """Return the private key that `data` holds, of whatever kind.

    Raises:
        ValueError, TypeError, cryptography.exceptions.UnsupportedAlgorithm: no readable key.
    """
    found = _OURS.fullmatch(data)
    key = base64.b64decode(found.group(1)) if found is not None else b""
    if key.startswith(_PREFIX):
        return Ed25519PrivateKey.from_private_bytes(key.removeprefix(_PREFIX))
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as said above.

    return serialization.load_pem_private_key(data, password=None)


def pem_of(private: Ed25519PrivateKey) -> bytes:
    """Return what is written of a private key."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as said above.
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

"""Signs a request as AWS wants it: Signature Version 4, for a POST to the root of a service."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who asks: the public id, the secret behind it, and the token of a session that ends."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """For which service in which region a signature counts."""

    region: str
    service: str

    def on(self, day: str) -> str:
        """Return the scope of one day, as it stands in the request."""
        return f"{day}/{self.region}/{self.service}/aws4_request"


def signed_headers(
    headers: Mapping[str, str],
    body: bytes,
    *,
    scope: Scope,
    credentials: Credentials,
    now: datetime,
) -> dict[str, str]:
    """Return `headers` (`Host` among them) with the moment and the signature over all of it."""
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    day = moment[:8]
    whole = {**headers, "X-Amz-Date": moment}
    if credentials.session_token:
        whole["X-Amz-Security-Token"] = credentials.session_token
    lines = {name.lower(): " ".join(value.split()) for name, value in whole.items()}
    names = ";".join(sorted(lines))
    listed = "".join(f"{name}:{lines[name]}\n" for name in sorted(lines))
    asked = f"POST\n/\n\n{listed}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    digest = hashlib.sha256(asked.encode()).hexdigest()
    told = f"{ALGORITHM}\n{moment}\n{scope.on(day)}\n{digest}"
    key = signing_key(credentials.secret_key, scope, day)
    signature = hmac.new(key, told.encode(), hashlib.sha256).hexdigest()
    whole["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope.on(day)},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return whole


def signing_key(secret: str, scope: Scope, day: str) -> bytes:
    """Return the key of one day, service and region; the secret itself signs nothing."""
    key = f"AWS4{secret}".encode()
    for one in (day, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, one.encode(), hashlib.sha256).digest()
    return key

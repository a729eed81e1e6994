"""What stand-ins of AWS share: they answer only what is signed as AWS wants it."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tests.bot.anchors.answering import Asked, Said

JSON_1_1 = "application/x-amz-json-1.1"


def signature_fault(asked: Asked, *, secret: str, service: str) -> str:
    """Return what AWS would say of the signature over a request, nothing if it is good."""
    scheme, _, rest = asked.headers["authorization"].partition(" ")
    fields = dict(one.strip().split("=", 1) for one in rest.split(","))
    _access, day, region, named, end = fields["Credential"].split("/")
    names = fields["SignedHeaders"].split(";")
    if scheme != "AWS4-HMAC-SHA256" or not {"host", "x-amz-date", "x-amz-target"} <= {*names}:
        return "IncompleteSignature"
    at = datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - at) > timedelta(minutes=5) or named != service:
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
            f"{day}/{region}/{named}/{end}",
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = ("AWS4" + secret).encode()
    for one in (day, region, named, end, to_sign):
        key = hmac.digest(key, one.encode(), "sha256")
    is_good = hmac.compare_digest(key.hex(), fields["Signature"])
    return "" if is_good else "InvalidSignatureException"


def json_said(told: Mapping[str, object]) -> Said:
    """Return a good answer."""
    return Said(200, json.dumps(told).encode(), JSON_1_1)


def refusal(kind: str) -> Said:
    """Return a refusal as AWS words it."""
    return Said(400, json.dumps({"__type": kind}).encode(), JSON_1_1)

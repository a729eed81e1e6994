"""A signature counts only for the very bytes, id, moment and key it was made for."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.webhook_signature import (
    SignatureError,
    github_delivery,
    key_of,
    standard_delivery,
)
from workflows.errors import SecretError

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TOLERANCE = timedelta(minutes=5)
KEYS = st.binary(min_size=24, max_size=64)
IDS = st.from_regex(r"\A[A-Za-z0-9_:-]{1,128}\Z")
BODIES = st.binary(max_size=200)
MOMENTS = st.integers(-300, 300)

# The example that the authors of the scheme publish.
EXAMPLE_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EXAMPLE = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
EXAMPLE_BODY = b'{"test": 2432232314}'


def sign(key: bytes, ident: str, moment: int, body: bytes) -> dict[str, str]:
    mac = hmac.digest(key, f"{ident}.{moment}.".encode() + body, "sha256")
    return {
        "webhook-id": ident,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def taken(headers: dict[str, str], body: bytes, key: bytes) -> str | None:
    """Return the delivery's id, None if it is refused."""
    try:
        return standard_delivery(headers, body, key=key, now=NOW, tolerance=TOLERANCE)
    except SignatureError:
        return None


def test_the_published_example_verifies() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    found = standard_delivery(
        EXAMPLE, EXAMPLE_BODY, key=key_of(EXAMPLE_SECRET), now=at, tolerance=TOLERANCE
    )

    assert found == EXAMPLE["webhook-id"]


@given(KEYS, IDS, BODIES, MOMENTS)
def test_what_was_signed_is_taken(key: bytes, ident: str, body: bytes, late: int) -> None:
    headers = sign(key, ident, int(NOW.timestamp()) + late, body)

    assert taken(headers, body, key) == ident


@given(KEYS, IDS, BODIES, st.integers(301, 10**9), st.sampled_from([-1, 1]))
def test_what_was_signed_for_another_time_is_refused(
    key: bytes, ident: str, body: bytes, late: int, side: int
) -> None:
    headers = sign(key, ident, int(NOW.timestamp()) + side * late, body)

    assert taken(headers, body, key) is None


@given(KEYS, IDS, BODIES, IDS, BODIES, MOMENTS, KEYS)
def test_a_signature_counts_for_nothing_else(
    key: bytes,
    ident: str,
    body: bytes,
    other_id: str,
    other_body: bytes,
    late: int,
    other_key: bytes,
) -> None:
    moment = int(NOW.timestamp())
    headers = sign(key, ident, moment, body)
    changed = {**headers, "webhook-id": other_id, "webhook-timestamp": str(moment + late)}
    assume((other_id, other_body, late) != (ident, body, 0))

    assert taken(changed, other_body, key) is None
    assert taken(headers, body, other_key) is None or other_key == key


@given(KEYS, st.text(max_size=60), st.text(max_size=20), st.text(max_size=100), BODIES)
def test_whatever_else_comes_is_refused_and_never_a_defect(
    key: bytes, ident: str, moment: str, signature: str, body: bytes
) -> None:
    headers = {
        "webhook-id": ident,
        "webhook-timestamp": moment,
        "webhook-signature": signature,
    }

    assert taken(headers, body, key) is None
    with pytest.raises(SignatureError):
        github_delivery({"x-hub-signature-256": signature}, body, key=key)


@pytest.mark.parametrize("none", ["", "v1", "v1,", "v1,no base64!", "v1,\u00fc", "v1,QUJD"])
def test_what_is_no_signature_counts_for_nothing_and_does_no_harm_beside_one(none: str) -> None:
    key = b"k" * 24
    headers = sign(key, "msg_1", int(NOW.timestamp()), b"{}")
    right = headers["webhook-signature"]

    assert taken({**headers, "webhook-signature": none}, b"{}", key) is None
    assert taken({**headers, "webhook-signature": f"{none} {right}"}, b"{}", key) == "msg_1"


def test_a_signature_counts_only_in_its_own_version_and_among_the_first_ten() -> None:
    key = b"k" * 24
    headers = sign(key, "msg_1", int(NOW.timestamp()), b"{}")
    right, other = headers["webhook-signature"], "v1,QUJD "

    assert taken({**headers, "webhook-signature": right.replace("v1", "v2")}, b"{}", key) is None
    assert taken({**headers, "webhook-signature": other * 9 + right}, b"{}", key) == "msg_1"
    assert taken({**headers, "webhook-signature": other * 10 + right}, b"{}", key) is None


@pytest.mark.parametrize(("ident", "moment"), [("msg.2", "1614265330"), ("msg_2", "today")])
def test_a_delivery_whose_headers_cannot_be_used_is_not_told_that_its_secret_is_wrong(
    ident: str, moment: str
) -> None:
    headers = {**sign(b"k" * 24, ident, 0, b"{}"), "webhook-timestamp": moment}
    with pytest.raises(SignatureError, match="webhook-id or webhook-timestamp") as refused:
        standard_delivery(headers, b"{}", key=b"k" * 24, now=NOW, tolerance=TOLERANCE)

    assert "letters, digits" in refused.value.hint


@given(KEYS, BODIES, BODIES)
def test_github_signs_the_body_alone(key: bytes, body: bytes, other: bytes) -> None:
    mac = hmac.new(key, body, hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={mac}"}
    assume(body != other)

    assert github_delivery(headers, body, key=key) == mac
    with pytest.raises(SignatureError):
        github_delivery(headers, other, key=key)


@pytest.mark.parametrize(
    "secret",
    [
        "whsec_",
        "whsec_short",
        "whsec_" + "!" * 40,
        "whsec_" + "QUJD" * 4,
        "whsec_" + "QUJD" * 8 + " QUJD",
    ],
)
def test_a_secret_that_is_no_key_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(SecretError) as refused:
        key_of(secret)

    assert secret.removeprefix("whsec_") not in str(refused.value) or secret == "whsec_"

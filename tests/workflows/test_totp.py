"""One-time codes as RFC 6238 has them, and as people type them."""

from datetime import UTC, datetime, timedelta

import pytest

from workflows.totp import SECRET_BYTES, code_of, matching_step, read_code, step_at, written

SECRET = b"12345678901234567890"  # Of the vectors in RFC 6238, appendix B.
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_the_standard(seconds: int, code: str) -> None:
    step = step_at(datetime.fromtimestamp(seconds, UTC))

    assert code_of(SECRET, step, digits=8) == code
    assert code_of(SECRET, step) == code[2:]


@pytest.mark.parametrize(
    ("shift", "matches"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_code_counts_one_step_before_and_after(shift: int, *, matches: bool) -> None:
    step = step_at(NOON) + shift
    code = code_of(SECRET, step)

    assert matching_step(SECRET, code, at=NOON) == (step if matches else None)


def test_a_code_that_two_steps_happen_to_share_is_of_the_later_so_it_is_used_up_for_both() -> None:
    secret, step = (316239).to_bytes(SECRET_BYTES, "big"), step_at(NOON)
    code = code_of(secret, step)

    assert code_of(secret, step + 1) == code
    assert matching_step(secret, code, at=NOON) == step + 1


def test_a_step_lasts_half_a_minute() -> None:
    assert step_at(NOON) == step_at(NOON + timedelta(seconds=29.9))
    assert step_at(NOON + timedelta(seconds=30)) == step_at(NOON) + 1


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123-456", "123456"),
        ("123\u00a0456", "123456"),
        ("12345", None),
        ("1234567", None),
        ("12345a", None),
        ("١٢٣٤٥٦", None),
        ("", None),
    ],
)
def test_codes_are_read_as_apps_show_them(typed: str, read: str | None) -> None:
    assert read_code(typed) == read


def test_a_secret_is_written_in_groups_of_four() -> None:
    text = written(bytes(range(SECRET_BYTES)))

    assert text == "AAAQ EAYE AUDA OCAJ BIFQ YDIO B4IB CEQT"

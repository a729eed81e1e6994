"""The second key: asked as AWS wants it, and heard only if what it says is right."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.anchors.calling import AnchorError
from bot.anchors.kms import KmsSigner
from bot.aws import AwsService
from bot.sigv4 import Credentials, Scope, signed_headers, signing_key
from storage.checkpoint import Checkpoint, NoteSigner, read_note, read_vkey
from storage.journal import utc_now
from tests.bot.anchors.answering import answering
from tests.bot.anchors.pretend_kms import KEY, SECRET, PretendKms

ORIGIN = "interlock.example/audit/T0ABC"
EXAMPLE = Credentials(access_key="AKIDEXAMPLE", secret_key=SECRET)


@pytest.fixture
def kms() -> PretendKms:
    return PretendKms()


def kms_at(url: str) -> AwsService:
    return AwsService(
        name="KMS",
        service="kms",
        target="TrentService",
        url=url,
        region="eu-central-1",
        credentials=replace(EXAMPLE, session_token="token of a session"),
        now=utc_now,
    )


@pytest.fixture
def signer(kms: PretendKms) -> Iterator[KmsSigner]:
    with answering(kms) as url:
        yield KmsSigner(
            origin=ORIGIN,
            key=KEY,
            kms=kms_at(url),
        )


def test_a_request_is_signed_as_in_the_test_suite_of_aws() -> None:
    scope = Scope(region="us-east-1", service="service")
    signed = signed_headers(
        {"Host": "example.amazonaws.com"},
        b"",
        scope=scope,
        credentials=EXAMPLE,
        now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )

    assert signed["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"
        " SignedHeaders=host;x-amz-date,"
        " Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    )


def test_the_key_of_a_day_is_that_of_the_example_of_aws() -> None:
    key = signing_key(SECRET, Scope(region="us-east-1", service="iam"), "20150830")

    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


def test_a_key_in_kms_signs_a_head_that_everybody_can_check(
    signer: KmsSigner, kms: PretendKms
) -> None:
    note = NoteSigner([signer]).sign(Checkpoint(ORIGIN, 3, bytes(32)))

    assert read_note(note).signers([read_vkey(signer.vkey)]) == [read_vkey(signer.vkey)]
    assert kms.asked == ["GetPublicKey", "Sign"]


def test_a_request_under_another_secret_is_refused(signer: KmsSigner, kms: PretendKms) -> None:
    kms.secret = "another"

    with pytest.raises(AnchorError, match=r"refuses GetPublicKey \(400\).*InvalidSignature"):
        _ = signer.vkey


def test_a_key_of_another_spec_is_refused(signer: KmsSigner, kms: PretendKms) -> None:
    kms.spec = "ECC_NIST_P256"

    with pytest.raises(AnchorError, match="ECC_NIST_EDWARDS25519"):
        _ = signer.vkey


def test_a_signature_that_the_public_key_does_not_verify_is_refused(
    signer: KmsSigner, kms: PretendKms
) -> None:
    assert signer.vkey
    kms.private = PretendKms().private

    with pytest.raises(AnchorError, match="does not verify"):
        signer.sign(b"text")


def test_a_kms_that_is_away_is_an_error_that_passes(signer: KmsSigner, kms: PretendKms) -> None:
    kms.is_away = True

    with pytest.raises(AnchorError, match="503"):
        signer.sign(b"text")

    nobody = replace(signer, kms=kms_at("http://127.0.0.1:9"))
    with pytest.raises(AnchorError, match="did not answer"):
        nobody.sign(b"text")

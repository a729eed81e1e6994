"""Heads go out by mail: over TLS where somebody logs in, and with the note as it is."""

import asyncio
import shutil
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from bot.anchors.calling import AnchorError
from bot.anchors.mail import Mail, MailServer
from storage.journal import utc_now
from tests.bot.anchors.conftest import Ledger
from tests.bot.anchors.mailbox import Mailbox, receiving

AUDITORS = ("auditor@audit.example", "second@audit.example")


def mail_to(box: Mailbox, *, starttls: bool = False, user: str = "") -> Mail:
    server = MailServer(
        address=box.address, starttls=starttls, user=user, password="a password of mail"
    )
    return Mail(server=server, sender="bot@ops.example", recipients=AUDITORS, now=utc_now)


def test_the_note_arrives_as_it_is_and_no_address_is_kept(ledger: Ledger) -> None:
    with receiving(Mailbox()) as box:
        ledger.outsiders.append(mail_to(box))
        ledger.look()
    (message,), note = box.taken, ledger.kept_note(1)
    body, attached = message.get_body(), next(message.iter_attachments())
    (told,) = ledger.anchors()
    evidence = ledger.evidence("mail").decode()

    assert message["To"] == ", ".join(AUDITORS)
    assert message["Subject"].endswith(f"1 entry, {ledger.head_at(1).fingerprint}")
    assert body is not None
    assert note in body.get_content().replace("\r\n", "\n")
    assert (attached.get_filename(), attached.get_content()) == ("checkpoint", note.encode())
    assert told.data["type"] == "mail"
    assert f"<{told.data['ref']}>" == message["Message-ID"]
    assert "queued as 4Fb1" in evidence
    assert "audit.example" not in evidence


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_login_goes_over_tls_to_a_server_that_is_who_it_says(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = certified(tmp_path)
    with receiving(Mailbox(tls=tls)) as box:
        mail = mail_to(box, starttls=True, user="interlock")
        with pytest.raises(AnchorError, match="CERTIFICATE_VERIFY_FAILED"):
            mail.vouch(ledger.head())
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        mail.vouch(ledger.head())

    assert len(box.taken) == 1
    assert [one.partition(" ")[0].upper() for one in box.said].count("AUTH") == 1


def test_a_login_is_not_sent_to_a_server_without_tls(ledger: Ledger) -> None:
    with receiving(Mailbox()) as box, pytest.raises(AnchorError, match="STARTTLS"):
        mail_to(box, starttls=True, user="interlock").vouch(ledger.head())

    assert not any(one.upper().startswith("AUTH") for one in box.said)


@pytest.mark.parametrize(
    ("verb", "answer", "why"),
    [
        ("RCPT", "550 no such mailbox auditor@audit.example", r"refuses recipient 1 of 2 \(550\)"),
        ("MAIL", "451 later", r"refuses the sender \(451\)"),
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", r"TLS or a login before \(530\)"),
        ("DATA", "554 no", "answers 554"),
    ],
)
def test_what_the_server_does_not_take_is_told_without_the_address(
    ledger: Ledger, verb: str, answer: str, why: str
) -> None:
    with (
        receiving(Mailbox(refuses={verb: answer})) as box,
        pytest.raises(AnchorError, match=why) as refused,
    ):
        mail_to(box).vouch(ledger.head())

    assert "audit.example" not in str(refused.value)
    assert box.taken == []


def test_what_was_taken_stays_taken_whatever_the_server_says_as_we_leave(ledger: Ledger) -> None:
    with receiving(Mailbox(refuses={"QUIT": "421 too busy to say goodbye"})) as box:
        given = mail_to(box).vouch(ledger.head())

    assert len(box.taken) == 1
    assert b"queued as 4Fb1" in given.evidence.content


def test_a_server_that_never_comes_to_an_end_is_left(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dripping(Mailbox):
        async def _speak(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while True:
                    await self._say(writer, "220-wait")
                    await asyncio.sleep(0.01)

    monkeypatch.setattr("bot.anchors.mail.WHOLE_SECONDS", 0.1)
    with receiving(Dripping()) as box, pytest.raises(AnchorError, match="to an end in time"):
        mail_to(box).vouch(ledger.head())


def test_a_login_that_cannot_be_sent_is_told_without_the_password(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with (
        receiving(Mailbox(tls=certified(tmp_path))) as box,
        pytest.raises(AnchorError, match="other than ASCII") as refused,
    ):
        mail_to(box, starttls=True, user="Übel").vouch(ledger.head())

    assert refused.value.__cause__ is None


def test_a_server_that_is_away_is_an_error_that_passes(ledger: Ledger) -> None:
    away = mail_to(Mailbox(address="127.0.0.1:9"))

    with pytest.raises(AnchorError, match="not taken"):
        away.vouch(ledger.head())


def certified(folder: Path) -> ssl.SSLContext:
    """Return TLS with a certificate for this machine, which lies in `cert.pem`."""
    words = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=here"
    subprocess.run(
        ["openssl", *words.split(), "-addext", "subjectAltName=IP:127.0.0.1"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return tls

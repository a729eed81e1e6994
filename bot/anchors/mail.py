"""Sends heads by mail, to whoever keeps their mailbox where the bot cannot reach it."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from urllib.parse import urlsplit

from bot.anchors.calling import SECONDS, AnchorError
from bot.anchors.outsiders import Vouched
from bot.wording import plural
from storage.anchors import Evidence
from storage.heads import Head

TAKEN = frozenset({250, 251})  # Fine, or fine and handed on.
FOR_GOOD = 500  # From here on the server would answer the same another time.
WANTS_MORE = 530  # It takes nothing before TLS or a login, whatever it is told.
WHOLE_SECONDS = 120.0  # For all that is said to a server. `SECONDS` is for one answer of it.
TELLS = """\
The newest head of the log {origin}, at {size}.

Keep this message where whoever runs the bot cannot change it. To check the log against it,
save the attachment and run:

    interlock audit verify --db DATABASE --vkey KEY --checkpoint checkpoint

{note}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What the server said as it took a mail, and how many recipients it refused."""

    said: str
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in. Without `starttls` nobody logs in."""

    address: str
    starttls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    def hand_in(
        self,
        message: EmailMessage,
        *,
        sender: str,
        recipients: Sequence[str],
        most_refused: int = 0,
    ) -> Handed:
        """Return what the server says once it has taken the mail for everybody.

        It need not be for so many recipients as `most_refused`, if they are refused for good.

        Raises:
            AnchorError: it has not.
        """
        try:
            return self._hand_in(message, sender, recipients, most_refused)
        except (OSError, smtplib.SMTPException) as error:
            raise AnchorError(f"The mail was not taken: {_why(error)}.") from error
        except UnicodeError:  # Its text has a sign of the password.
            raise AnchorError(
                "The mail was not taken: no login with letters other than ASCII can be sent."
            ) from None

    def _hand_in(
        self, message: EmailMessage, sender: str, recipients: Sequence[str], most_refused: int
    ) -> Handed:
        parts = urlsplit(f"//{self.address}")
        server = _Server(parts.hostname or "", parts.port or 0)
        try:
            if self.starttls:
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
            server.ehlo_or_helo_if_needed()
            _require(server.mail(sender), "the sender")
            refused = 0
            for place, one in enumerate(recipients, start=1):
                said = server.rcpt(one)
                if said[0] < FOR_GOOD or refused == most_refused:
                    _require(said, _recipient(place, len(recipients)))
                else:
                    refused += 1
            code, words = server.data(message.as_bytes())
            _require((code, words), "the message")
        finally:
            _leave(server)
        return Handed(said=f"{code} {words.decode(errors='replace')}", refused=refused)


class _Server(smtplib.SMTP):
    """A server that is listened to for so long: one that drips would be heard out for ever."""

    def __init__(self, host: str, port: int) -> None:
        self._timer = threading.Timer(WHOLE_SECONDS, self._cut)
        self._timer.daemon = True
        self._is_late = False
        self._timer.start()
        try:
            super().__init__(host, port, timeout=SECONDS)
        except BaseException:
            self._timer.cancel()
            raise

    def getreply(self) -> tuple[int, bytes]:
        try:
            return super().getreply()
        except smtplib.SMTPServerDisconnected:
            if self._is_late:
                raise TimeoutError("the server did not come to an end in time") from None
            raise

    def close(self) -> None:
        self._timer.cancel()
        super().close()

    def _cut(self) -> None:
        self._is_late = True
        held = self.sock
        if held is not None:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Letters with the newest head, from `sender` to `recipients`."""

    server: MailServer
    sender: str
    recipients: tuple[str, ...]
    now: Callable[[], datetime]
    name: str = "mail"

    def vouch(self, head: Head) -> Vouched:
        """Hand the head in for everybody; the server's word for it is the evidence."""
        message = self._message(head)
        handed = self.server.hand_in(message, sender=self.sender, recipients=self.recipients)
        # No address: what is kept here is not erased with a person.
        lines = [message["Message-ID"], message["Date"], handed.said, "", head.note]
        content = "\n".join(lines).encode()
        ref = str(message["Message-ID"]).strip("<>")
        return Vouched(evidence=Evidence(type=self.name, ref=ref, content=content, at=self.now()))

    def _message(self, head: Head) -> EmailMessage:
        message, size = EmailMessage(policy=SMTP), plural(head.size, "entry", "entries")
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Subject"] = f"Head of {head.origin}: {size}, {head.fingerprint}"
        message["Date"] = format_datetime(self.now())
        message["Message-ID"] = make_msgid(domain=self.sender.partition("@")[2])
        told = TELLS.format(origin=head.origin, size=size, note=head.note)
        message.set_content(told, cte="base64")
        message.add_attachment(
            head.note.encode(), "application", "octet-stream", filename="checkpoint"
        )
        return message


def _leave(server: smtplib.SMTP) -> None:
    """Close the connection. What was taken stays taken, whatever is said of our leaving."""
    with suppress(OSError, smtplib.SMTPException):
        server.quit()
    server.close()


def _require(said: tuple[int, bytes], what: str) -> None:
    if said[0] == WANTS_MORE:
        raise smtplib.SMTPException(f"the server wants TLS or a login before ({WANTS_MORE})")
    if said[0] not in TAKEN:
        raise smtplib.SMTPException(f"the server refuses {what} ({said[0]})")


def _recipient(place: int, count: int) -> str:
    """Say which one, by its place: addresses are not kept."""
    return "a recipient" if count == 1 else f"recipient {place} of {count}"


def _why(error: Exception) -> str:
    """Return the reason in a few words, without what the server was told."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server answers {error.smtp_code}"
    return str(error).rstrip(".") or type(error).__name__

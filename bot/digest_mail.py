"""A digest as mail: its numbers as text, the page, and all of its figures as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Any

from bot.anchors.mail import MailServer
from bot.digest_files import figures_of, page_of
from bot.views.digest import numbers, sentence
from bot.views.digest_values import DigestShown
from bot.wording import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestMail:
    """Digests by mail, from `sender` to `recipients`."""

    server: MailServer
    sender: str
    recipients: tuple[str, ...]

    def send(
        self, shown: DigestShown, figures: Mapping[str, Any], *, at: datetime, name: str = ""
    ) -> int:
        """Hand one in for everybody; return how many of them the server refuses for good.

        With the same `name` it is the same mail to their programs.

        Raises:
            AnchorError: the server took it for nobody, or will for somebody another time.
        """
        message = self._message(shown, figures, at)
        domain = self.sender.partition("@")[2]
        message["Message-ID"] = f"<{name}@{domain}>" if name else make_msgid(domain=domain)
        handed = self.server.hand_in(
            message,
            sender=self.sender,
            recipients=self.recipients,
            most_refused=len(self.recipients) - 1,
        )
        return handed.refused

    def _message(
        self, shown: DigestShown, figures: Mapping[str, Any], at: datetime
    ) -> EmailMessage:
        message, data = EmailMessage(policy=SMTP), figures_of(shown, figures)
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Subject"] = one_line(f"{shown.head.origin}: {sentence(shown)}")
        message["Date"] = format_datetime(at)
        message.set_content("\n".join(_lines(shown)), cte="base64")
        page = page_of(shown).content.decode()
        message.add_alternative(page, subtype="html", cte="base64")
        message.add_attachment(data.content, "application", "json", filename=data.name)
        return message


def _lines(shown: DigestShown) -> Sequence[str]:
    told = [f"{one.now} {one.name} ({one.change})" for one in numbers(shown)]
    waits = [f"{one.title} waits: {', '.join(one.asked) or 'nobody'}" for one in shown.waiting]
    return [
        sentence(shown),
        "",
        *told,
        "",
        *map(one_line, waits),
        *shown.unlisted_words,
        "",
        shown.head.note,
    ]

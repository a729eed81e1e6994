"""Puts together whoever keeps heads outside, as the settings name them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.anchors.outsiders import Outsider
from bot.core import Core
from bot.running import Part
from bot.settings import Settings
from storage.anchors import forget_failing
from storage.cosignature import read_witness_key
from storage.sequencing import Now

if TYPE_CHECKING:
    from bot.anchors.mail import MailServer  # Many bots send no mail.


def anchoring_of(core: Core) -> list[Part]:
    """Return what brings heads outside, nothing where no setting names anybody."""
    from bot.anchors.anchoring import Anchoring  # noqa: PLC0415 - many bots have nobody outside.
    from bot.anchors.second_key import NAME, SecondKey, second_signer  # noqa: PLC0415 - as above.

    settings, memory, now = core.settings, core.memory, core.means.clock
    outsiders = list(outsiders_of(core))
    signer = second_signer(settings, origin=memory.journal.origin, now=now)
    names = {one.name for one in outsiders} | ({NAME} if signer else set())
    forget_failing(memory.database, but=names)
    if not outsiders and signer is None:
        return []
    second = None if signer is None else SecondKey(signer=signer, database=memory.database)
    return [Anchoring(core.store, outsiders, second=second, every=settings.anchor_every, now=now)]


def outsiders_of(core: Core) -> Iterator[Outsider]:
    """Yield them: those who put lines under a note before those who keep it."""
    settings, memory, now = core.settings, core.memory, core.means.clock
    if settings.witness_url:
        from bot.anchors.witness import Cosigner  # noqa: PLC0415 - only where it is set.

        key = read_witness_key(settings.witness_vkey)
        yield Cosigner(url=settings.witness_url, key=key, database=memory.database, now=now)
    if settings.timestamp_url:
        from bot.anchors.timestamp import Authority  # noqa: PLC0415 - only where it is set.

        yield Authority(url=settings.timestamp_url, now=now)
    if settings.anchor_dir is not None:
        from bot.anchors.folder import Folder  # noqa: PLC0415 - only where it is set.

        yield Folder(path=settings.anchor_dir, log_id=memory.log_id, now=now)
    if settings.anchor_mail:
        yield _mail(settings, now)


def _mail(settings: Settings, now: Now) -> Outsider:
    from bot.anchors.mail import Mail  # noqa: PLC0415 - only where it is set.

    recipients = settings.anchor_mail
    server = mail_server(settings)
    return Mail(server=server, sender=settings.smtp_from, recipients=recipients, now=now)


def mail_server(settings: Settings) -> "MailServer":
    """Return where the settings say that mail is handed in."""
    from bot.anchors.mail import MailServer  # noqa: PLC0415 - only where it is set.

    password = settings.smtp_password
    return MailServer(
        address=settings.smtp,
        starttls=settings.smtp_tls == "starttls",
        user=settings.smtp_user,
        password=password.get_secret_value() if password is not None else "",
    )

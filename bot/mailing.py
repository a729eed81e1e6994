"""Mails each digest by itself once it is made: at least once, and recognisable if twice.

The mark that it is due stands in the transaction that makes the digest. It is moved on before
the mail server is asked, and removed after it took the mail; a process that dies in between is
followed by another, which hands in the same mail under the same Message-ID.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.anchors.calling import AnchorError
from bot.digest import Digests
from bot.digest_mail import DigestMail
from bot.threaded import Threaded
from bot.wording import escape, plural
from storage.digest_mails import DigestMailSql
from storage.store import SqlStore
from workflows.entry import Json
from workflows.errors import StorageError
from workflows.store import Delivery, Message, Subject

AGAIN = timedelta(minutes=10)  # Longer than a server may take.
LONGEST_SLEEP = 60.0
STOP_SECONDS = 35.0
FAILED = (
    "✉️ The digest could not be mailed: {why} I try again every ten minutes; `interlock digest"
    " --mail` sends one by hand."
)
REFUSED = (
    "✉️ The mail server refuses {people} of the digest for good; everybody else got it."
    " Correct `INTERLOCK_DIGEST_MAIL`."
)

log = logging.getLogger(__name__)


class Mailing(Threaded):
    """A part of the serving process. Of several processes, one mails each digest."""

    def __init__(
        self,
        store: SqlStore,
        digests: Digests,
        mail: DigestMail,
        *,
        log_id: str,
        channel: str,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._digests = digests
        self._mail = mail
        self._log_id = log_id
        self._channel = channel
        self._now = now
        super().__init__("mailing", stop_seconds=STOP_SECONDS)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                is_busy = self.look()
            except StorageError:
                log.warning("digests wait for the database", exc_info=True)
                is_busy = False
            if not is_busy:
                self._stopping.wait(LONGEST_SLEEP)

    def look(self) -> bool:
        """Mail the oldest digest that is due; False if there was none, or it was not taken.

        Raises:
            StorageError: what came of it could not be recorded; it will be mailed again.
        """
        now = self._now()
        with self._store.database.begin() as tx:
            taken = DigestMailSql(tx).take(now=now, again=now + AGAIN)
        if taken is None:
            return False
        made = self._digests.drawn(taken)
        if made is None:
            log.error("a digest has no figures and is not mailed", extra={"digest": taken})
            self._done(taken)
            return True
        name = f"digest.{taken}.{self._log_id}"
        try:
            refused = self._mail.send(made.shown, made.figures, at=now, name=name)
        except AnchorError as error:
            log.warning("a digest was not mailed", extra={"digest": taken, "error": str(error)})
            self._tell("digest_mail", taken, FAILED.format(why=escape(str(error), 300)))
            return False
        if refused:
            log.warning("recipients of a digest were refused", extra={"refused": refused})
            people = plural(refused, "recipient")
            self._tell("digest_mail_refused", taken, REFUSED.format(people=people))
        self._done(taken)
        log.info("a digest was mailed", extra={"digest": taken})
        return True

    def _done(self, digest: str) -> None:
        with self._store.database.begin() as tx:
            DigestMailSql(tx).done(digest)

    def _tell(self, kind: str, digest: str, text: str) -> None:
        """Tell the channel once that a digest was not taken, or not for everybody."""
        once = Delivery(team="", kind=kind, key=digest)
        with self._store.begin() as unit:
            if not self._channel or unit.is_repeat(once):
                return
            key = f"{kind.replace('_', '-')}/{digest}"
            body: dict[str, Json] = {"text": text}
            unit.send(Message(subject=Subject.NOTICE, key=key, channel=self._channel, body=body))

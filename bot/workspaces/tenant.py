"""One workspace of a host: what `interlock serve` is for one, in a thread of this process.

It has a home, a log, a database, a policy and threads of its own; nothing of it is shared with
another workspace but this process and the address at which Slack delivers.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from bot.app import Bot
from bot.logs import about_workspace
from bot.running import run_until
from bot.token_trouble import TokenTrouble, complain
from bot.workspaces.door import Door, closed
from storage.installations import Installation
from workflows.errors import InterlockError

STOP_SECONDS = 60.0
FAILED = "it failed; the log says why"

log = logging.getLogger(__name__)

PutTogether = Callable[[Installation, ExitStack], Bot]


class Tenant:
    """A workspace from its start to its end. `why` says why it is not served, if so."""

    def __init__(
        self,
        installation: Installation,
        put_together: PutTogether,
        *,
        troubled: Callable[[str], None] = complain,
        after: "Tenant | None" = None,
    ) -> None:
        """`troubled` is told why Slack refuses its bot, now and then.

        With `after`, it begins once that one has stopped: they have one home.
        """
        self.installation = installation
        self.why = ""
        self._after = after
        self._trouble = TokenTrouble(troubled)
        self._put_together = put_together
        self._door: Door | None = None
        self._stopping = threading.Event()
        self._settled = threading.Event()  # It is served, or it is known why not.
        self._thread = threading.Thread(
            target=self._work, name=f"workspace-{installation.id}", daemon=True
        )

    @property
    def is_open(self) -> bool:
        """Whether what arrives for it is taken up."""
        return self._door is not None and self._door.is_open

    @property
    def is_over(self) -> bool:
        """Whether it is served no more, by order or because something broke."""
        return self._settled.is_set() and not self._thread.is_alive()

    def start(self) -> None:
        """Begin to serve, without waiting for it."""
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Return once it is served or known why not, or when the time is over."""
        self._settled.wait(seconds)

    def stop(self) -> None:
        """Have it stop; what is under way is finished. Returns at once."""
        self._stopping.set()

    def join(self) -> None:
        """Return once it has stopped."""
        self._thread.join(STOP_SECONDS)

    @contextmanager
    def entered(self) -> Iterator[Door]:
        """Give what arrives a place inside, where it is let finish.

        Raises:
            NotServedError: it is not served just now.
        """
        if self._door is None:
            raise closed()
        with about_workspace(self.installation.id), self._door.entered() as door:
            yield door

    def use(self, installation: Installation) -> None:
        """Go on with the tokens of a newer installation of the same workspace.

        One that is still starting is told again at the next look.
        """
        if self._door is None:
            return
        earlier = self.installation
        old, new = earlier.tokens, installation.tokens
        if new is not None and new != old:
            # The earlier one may still stand in an answer that is on its way.
            self._door.bot.core.redact.also(new.bot, *([old.bot] if old is not None else []))
            self._door.bot.use_token(new.bot)
            self._trouble.forget()
        # Only now: what is refused before that was not the new token.
        self.installation = installation

    def _work(self) -> None:
        with about_workspace(self.installation.id):
            self._serve()

    def _serve(self) -> None:
        if self._after is not None:
            self._after.join()
            self._after = None
        try:
            with ExitStack() as stack:
                bot = self._put_together(self.installation, stack)
                bot.slack.on_refused(self._trouble)
                self._door = Door(bot, opened=self._settled.set)
                run_until(self._stopping, [*bot.parts, self._door], problem=bot.problem)
        except InterlockError as refusal:
            self.why = str(refusal)
            told = {"workspace": self.installation.id, "why": self.why}
            log.error("a workspace is not served", extra=told)  # noqa: TRY400 - a refusal says it all.
        except Exception:
            self.why = FAILED
            log.exception("a workspace failed", extra={"workspace": self.installation.id})
        finally:
            self._settled.set()

"""Keeps a host's workspaces as its register says: starts, renews, starts again, stops.

It looks every few seconds, since another process may have written the register, and at once
when it is nudged. A workspace that cannot be served is tried again each minute; the others do
not notice.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from bot.bell import Bell
from bot.workspaces.door import Door, NotServedError, closed
from bot.workspaces.oauth_client import EXPIRED
from bot.workspaces.renewing import Renewing
from bot.workspaces.tenant import PutTogether, Tenant
from storage.installations import Installation, Installations
from workflows.errors import InterlockError, StorageError

LOOK_SECONDS = 15.0
AGAIN_SECONDS = 60.0
START_SECONDS = 10.0  # Whoever is not ready then says so to those who ask.
STOP_SECONDS = 65.0

log = logging.getLogger(__name__)


class UnknownWorkspaceError(InterlockError):
    """A workspace in which the app is not installed."""


class Tenants:
    """The workspaces that this process serves. A part of it; safe to share between threads."""

    def __init__(
        self,
        installations: Installations,
        renewing: Renewing,
        put_together: PutTogether,
        *,
        allowed: Collection[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._installations = installations
        self._renewing = renewing
        self._put_together = put_together
        self._allowed = frozenset(allowed)
        self._clock = clock
        self._tenants: dict[str, Tenant] = {}
        self._leaving: dict[str, Tenant] = {}
        self._again_at: dict[str, float] = {}
        self._looking = threading.Lock()
        self._bell = Bell()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="workspaces")

    @property
    def all(self) -> Mapping[str, Tenant]:
        """Return every workspace that is served or should be, by its id."""
        return dict(self._tenants)

    def start(self) -> None:
        """Start every workspace that the register has, and give them a moment to be ready."""
        self.look()
        end = self._clock() + START_SECONDS
        for one in self.all.values():
            one.wait(max(0.0, end - self._clock()))
        self._thread.start()

    def stop(self) -> None:
        """Stop all of them at once."""
        self._stopping.set()
        self._bell.ring(everybody=True)
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        for one in self.all.values():
            one.stop()
        for one in (*self.all.values(), *self._leaving.values()):
            one.join()

    def nudge(self) -> None:
        """Have the register looked at now."""
        self._bell.ring()

    @contextmanager
    def entered(self, ident: str) -> Iterator[Door]:
        """Give what arrives for a workspace a place inside.

        Raises:
            UnknownWorkspaceError: the app is not installed there.
            NotServedError: it is, and is not served just now.
        """
        tenant = self._tenants.get(ident)
        if tenant is None:
            raise self.refusal_of(ident)
        with tenant.entered() as door:
            yield door

    def refusal_of(self, ident: str) -> UnknownWorkspaceError | NotServedError:
        """Return why nothing is taken up for a workspace that is none of `all`.

        Raises:
            StorageError: the register cannot be read.
        """
        found = self._installations.find(ident)
        if found is not None and self._is_served(found):
            return closed()
        return UnknownWorkspaceError(
            "I am not installed in this workspace.",
            hint="Whoever may install apps here can add me.",
        )

    def look(self) -> None:
        """Bring what is served in line with the register.

        Raises:
            StorageError: the register cannot be read.
        """
        with self._looking:
            self._leaving = {ident: one for ident, one in self._leaving.items() if not one.is_over}
            wanted = {one.id: one for one in self._installations.all() if self._is_served(one)}
            for ident in self._tenants.keys() - wanted.keys():
                self._end(ident)
            for one in wanted.values():
                self._keep(self._fresh(one))

    def _fresh(self, one: Installation) -> Installation:
        """Return `one` with the tokens to go on with, those at hand if anything goes wrong.

        The others must not wait for it, and those at hand last a while when it is time.
        """
        try:
            return self._renewing.fresh(one)
        except Exception:
            log.exception("a token was not renewed", extra={"workspace": one.id})
            return one

    def _is_served(self, one: Installation) -> bool:
        return one.tokens is not None and one.id in self._allowed

    def _keep(self, one: Installation) -> None:
        tenant = self._tenants.get(one.id)
        if one.tokens is None:
            return  # Removed a moment ago; the next look ends it.
        if tenant is not None and not tenant.is_over:
            tenant.use(one)
            return
        is_new = tenant is None or tenant.installation.tokens != one.tokens
        if is_new or self._clock() >= self._again_at.get(one.id, 0.0):
            self._begin(one)

    def _begin(self, one: Installation) -> None:
        self._again_at[one.id] = self._clock() + AGAIN_SECONDS
        after = self._leaving.pop(one.id, None)
        tenant = self._tenants[one.id] = Tenant(
            one, self._put_together, troubled=partial(self._note, one.id), after=after
        )
        tenant.start()

    def _end(self, ident: str) -> None:
        log.info("a workspace is served no more", extra={"workspace": ident})
        tenant = self._leaving[ident] = self._tenants.pop(ident)
        tenant.stop()

    def _note(self, ident: str, code: str) -> None:
        log.error("Slack refuses a workspace's bot", extra={"workspace": ident, "error": code})
        if code == EXPIRED and (tenant := self._tenants.get(ident)) is not None:
            self._renewing.note_expired(tenant.installation)
        self.nudge()  # Perhaps its token only has to be renewed.
        try:
            self._installations.note_trouble(ident, f"Slack refuses its bot ({code})")
        except StorageError:
            # It is told in the log; the call that was refused has nothing to do with the register.
            log.warning("what is wrong was not noted", extra={"workspace": ident}, exc_info=True)

    def _work(self) -> None:
        while not self._stopping.is_set():
            seen = self._bell.rung
            try:
                self.look()
            except StorageError:
                log.warning("the register waits for the database", exc_info=True)
            except Exception:
                log.exception("the register was not looked at")
            self._bell.wait(seen, LOOK_SECONDS)

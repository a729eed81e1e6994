"""Procrastinate's connection to Postgres, patient with a server that is away.

Its own worker ends when a single statement fails. Ours waits and asks again, so that runs go
on by themselves once the server answers, and those under way are not left by their worker.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, LiteralString, TypeVar

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.connector import LISTEN_TIMEOUT, Notify
from procrastinate.exceptions import ConnectorException
from procrastinate.sql import queries
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import PoolClosed

from storage.database_errors import refusal_for
from workflows.errors import StorageError

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5
PASSING = (psycopg.OperationalError, ReadOnlySqlTransaction)
NEWS = json.dumps({"type": "job_inserted", "job_id": 0})

T = TypeVar("T")


class PatientConnector(PsycopgConnector):
    """Asks again while the server is away, until it is told to stop."""

    def __init__(self, *, address: str, arguments: dict[str, Any], most: int) -> None:
        super().__init__(
            conninfo=address,
            kwargs=arguments,
            min_size=1,
            max_size=most,
            timeout=5.0,
            # The pool waits twice as long after each try. Given up early it begins anew with
            # the next question, so that nobody waits long for a server that is back.
            reconnect_timeout=2.0,
        )
        self.is_stopping = False
        self._is_away = False
        self._tell: Notify | None = None
        self._news = 0
        self._looks: set[asyncio.Task[None]] = set()

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:  # noqa: ANN401  as in its base
        ask = super().execute_query_async
        finishes = query == queries["finish_job"]
        try:
            await self._patiently(lambda: ask(query, **arguments))
        except ConnectorException as error:
            if not finishes or not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise
            # Finished by an earlier try whose answer was lost, or handed on to another worker
            # while this one was frozen.
            log.info("the job was gone already", extra={"job": arguments.get("job_id")})
        if finishes:
            self._news += 1  # A look under way may have begun before this job let go of its run.
            await self._look_again()

    async def execute_query_one_async(
        self,
        query: LiteralString,
        **arguments: Any,  # noqa: ANN401  as in its base
    ) -> dict[str, Any]:
        ask = super().execute_query_one_async
        before = self._news
        found: dict[str, Any] = await self._patiently(lambda: ask(query, **arguments))
        if query == queries["fetch_job"] and found["id"] is None and self._news != before:
            # The worker forgets notices once it has looked, those too that came meanwhile.
            look = asyncio.create_task(self._look_again())
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
        return found

    async def execute_query_all_async(
        self,
        query: LiteralString,
        **arguments: Any,  # noqa: ANN401  as in its base
    ) -> list[dict[str, Any]]:
        ask = super().execute_query_all_async
        return await self._patiently(lambda: ask(query, **arguments))

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        self._tell = on_notification
        listen = super().listen_notify

        async def hear(*, channel: str, payload: str) -> None:
            self._news += 1
            await on_notification(channel=channel, payload=payload)

        await self._patiently(lambda: listen(hear, channels))

    async def _loop_notify(
        self,
        on_notification: Notify,
        connection: psycopg.AsyncConnection,
        timeout: float = LISTEN_TIMEOUT,  # noqa: ASYNC109  as in its base
    ) -> None:
        """Hear notices on a connection that listens; what came just before was told to nobody."""
        self._news += 1
        await self._look_again()
        await super()._loop_notify(on_notification, connection, timeout)

    async def _look_again(self) -> None:
        """Have the worker look for a job: one may have waited for the run just let go of."""
        if self._tell is not None:
            await self._tell(channel="", payload=NEWS)

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                found = await ask()
            except ConnectorException as error:
                if self.is_stopping or not _passes(error):
                    raise
                self._note(is_away=True, why=refusal_for(error.__cause__ or error))
                if isinstance(error.__cause__, ReadOnlySqlTransaction):
                    await self.pool.drain()  # Only new connections know that it was taken back.
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                self._note(is_away=False)
                return found

    def _note(self, *, is_away: bool, why: StorageError | None = None) -> None:
        if is_away and not self._is_away:
            log.warning("the job queue waits for the database", extra={"why": str(why or "")})
        elif self._is_away and not is_away:
            log.info("the job queue goes on")
        self._is_away = is_away


def _passes(error: ConnectorException) -> bool:
    """Say whether trying again may help: the server is away, busy, or takes no changes for now."""
    cause = error.__cause__
    return isinstance(cause, PASSING) and not isinstance(cause, PoolClosed)

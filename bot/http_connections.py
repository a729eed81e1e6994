"""Bounds what connections take: how many there are, and how long one may owe us its next move.

uvicorn waits for ever for a request that does not come to its end. Whoever opens a thousand of
them would take every file that the process may open, and with them the database and Slack.
"""

import asyncio
import resource
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import h11
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 20.0
PARTING_SECONDS = 5.0
LAST_SECONDS = 0.5  # For a request that was on its way when the server began to stop.
BACKLOG = 100  # Taken in at once, before the first of them is counted.
SHARE = 4  # A process may listen at three addresses; the last part is for everything else.
MOST = 10_000
ASKS_NO_MORE = "asks_no_more"  # In the state of a request whose sender ended their side.


class Connection(H11Protocol):
    """One connection. While nothing of it is being answered, its time runs."""

    _until: asyncio.TimerHandle | None = None
    _asks_no_more = False
    _is_parting = False
    _is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # As in uvicorn.
        """Take it in; where there are too many, the one that owes its move longest makes room."""
        super().connection_made(transport)
        self.transport = _Parting(transport, self._part)
        self._look()
        if len(self.connections) > most_connections():
            waiting = (cast("Connection", one) for one in self.connections)
            min(waiting, key=Connection.ends_at).give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop()

    def data_received(self, data: bytes) -> None:
        """Take in what came; after the last answer it is passed over."""
        if not self._is_parting:
            super().data_received(data)

    def handle_events(self) -> None:
        """Take up what came; a part of a request gains no time."""
        super().handle_events()
        if self._is_last and self._is_asked():
            self._end_with_answer()
        self._look()

    def shutdown(self) -> None:
        """Answer what comes within a moment, and say in the answer that it is the last.

        A proxy may just be sending a request on a connection that it kept. Were that closed at
        once, nobody would answer, and the proxy may send nothing but a read to another bot.
        """
        self._is_last = True
        if self._is_asked():
            self._end_with_answer()
        elif self._is_parting:
            self.transport.close()
        else:
            self._stop()
            self._until = self.loop.call_later(LAST_SECONDS, self.transport.close)

    def eof_received(self) -> bool:  # type: ignore[override]  # As in asyncio, which reads the answer.
        """Answer whoever asked all of it and then ended only their own side; it is lawful.

        It looks the same where they are gone, so what waits on their behalf is told of it.
        """
        self._asks_no_more = self._is_asked() and not self.cycle.more_body
        if self._asks_no_more:
            self.cycle.scope["state"][ASKS_NO_MORE] = True
        return self._asks_no_more

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._asks_no_more and self.cycle.response_complete:
            self.transport.close()  # No further request has come, and none will.
        self._look()

    def pause_writing(self) -> None:
        """Have the time run of whoever asks and does not read the answers."""
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look()

    def ends_at(self) -> float:
        """Return when its time is over, by the loop's clock."""
        return float("inf") if self._until is None else self._until.when()

    def give_up(self) -> None:
        """Close it at once, whatever was still to be sent."""
        self.connections.discard(self)
        self.transport.abort()

    def _should_upgrade(self) -> bool:
        """Speak no other protocol here, whoever asks for one; it may be passed over in silence.

        uvicorn would advise whoever reads the log to install another.
        """
        return False

    def _part(self, transport: asyncio.Transport) -> bool:
        """End our side where the other one is still sending, and say whether that is enough."""
        is_sending = self.conn.their_state in {h11.SEND_BODY, h11.ERROR}
        if self._is_parting or not is_sending or transport.is_closing():
            return False
        self._is_parting = True
        with suppress(OSError):  # They may be gone just now.
            transport.write_eof()
        self.flow.resume_reading()
        self._stop()
        self._until = self.loop.call_later(PARTING_SECONDS, self.give_up)
        return True

    def _look(self) -> None:
        if self._is_parting:
            return
        if self._is_at_work():
            self._stop()
        elif self._until is None and self in self.connections:
            self._until = self.loop.call_later(SECONDS, self.give_up)

    def _is_at_work(self) -> bool:
        return self._is_asked() and not self.flow.write_paused

    def _is_asked(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _end_with_answer(self) -> None:
        self.cycle.keep_alive = False
        self.cycle.default_headers = [*self.cycle.default_headers, CLOSE_HEADER]

    def _stop(self) -> None:
        if self._until is not None:
            self._until.cancel()
            self._until = None


class _Parting(asyncio.Transport):
    """A transport that is closed only once whoever is still sending has read the answer.

    Closed while something is unread, the connection is reset, and they lose the answer to what
    they send (RFC 9112, section 9.6).
    """

    def __init__(
        self, transport: asyncio.Transport, part: Callable[[asyncio.Transport], bool]
    ) -> None:
        super().__init__()
        self._transport, self._part = transport, part
        self._is_parting = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._transport.write(data)

    def close(self) -> None:
        self._is_parting = self._part(self._transport)
        if not self._is_parting:
            self._transport.close()

    def is_closing(self) -> bool:
        return self._is_parting or self._transport.is_closing()

    def abort(self) -> None:
        self._transport.abort()


def most_connections() -> int:
    """Return how many one address may have: a share of the files that the process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else min(files // SHARE, MOST)

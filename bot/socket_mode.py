"""Receives over Socket Mode: two connections of one app, each noticed when it goes silent.

Slack gives each payload to one arbitrary connection, so that one may drop without anybody
noticing. What a payload means is for the listeners, which do not know how it came.
"""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import build_headers, send_response
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.arrival import ARRIVED, Stamps, Takes, take_up
from bot.settings import SettingsError

CONNECTIONS = 2
CONCURRENCY = 32
PING_SECONDS = 3
CONNECT_SECONDS = 2.0
CLOSE_SECONDS = 8.0
SILENCE = 60.0  # The SDK gives a connection up after four pings and opens another by itself.

log = logging.getLogger(__name__)


class StampingHandler(SocketModeHandler):
    """Bolt's handler, which also says when each envelope came off the wire."""

    def __init__(self, app: App, app_token: str, *, web_client: WebClient, takes: Takes) -> None:
        super().__init__(
            app,
            app_token,
            web_client=web_client,
            ping_interval=PING_SECONDS,
            concurrency=CONCURRENCY,
        )
        self._stamps = Stamps()
        self._takes = takes
        self.client.on_message_listeners.append(self._stamp)

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]  # As in Bolt's own handler.
        started = time.time()
        request = BoltRequest(
            mode="socket_mode",
            body=req.payload,
            headers=build_headers(req),
            context={ARRIVED: self._stamps.take(req.envelope_id)},
        )
        send_response(client, req, take_up(self._takes, request), started)

    def _stamp(self, message: str) -> None:
        if not message.startswith("{"):
            return
        envelope = json.loads(message).get("envelope_id")
        if isinstance(envelope, str):
            self._stamps.stamp(envelope)


class Sockets:
    """The app's connections. `problem` says why the process had better be started again."""

    def __init__(
        self,
        app: App,
        *,
        app_token: str,
        web_client: WebClient,
        takes: Takes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`takes` takes up what arrives, by default the app itself."""
        self._handlers: Sequence[StampingHandler] = [
            StampingHandler(app, app_token, web_client=web_client, takes=takes or app)
            for _ in range(CONNECTIONS)
        ]
        self._clock = clock
        self._last_alive = clock()

    def start(self) -> None:
        """Open the connections.

        Raises:
            SettingsError: Slack does not take the app token, or cannot be reached.
        """
        for handler in self._handlers:
            _connect(handler)

    def stop(self) -> None:
        """Close the connections once the listeners under way have answered.

        The SDK can wait for ever for a thread of its own that a reconnection replaced, so it
        is given a few seconds; what it leaves behind ends with the process.
        """
        closers = [
            threading.Thread(target=_close, args=(handler,), name="close", daemon=True)
            for handler in self._handlers
        ]
        for one in closers:
            one.start()
        ends = self._clock() + CLOSE_SECONDS
        for one in closers:
            one.join(max(0.0, ends - self._clock()))
        if any(one.is_alive() for one in closers):
            log.warning("a connection to Slack did not close in time")

    @property
    def waiting(self) -> int:
        """Return how many frames wait for a thread."""
        return sum(
            handler.client.message_workers._work_queue.qsize()  # noqa: SLF001 - the pool has no other way to say it.
            for handler in self._handlers
        )

    def unconnected(self) -> str | None:
        """Return what is wrong while no connection stands."""
        stands = any(handler.client.is_connected() for handler in self._handlers)
        return None if stands else "There is no connection to Slack."

    def problem(self) -> str | None:
        """Return what is wrong if no connection has lived for a minute."""
        if self.unconnected() is None:
            self._last_alive = self._clock()
        if self._clock() - self._last_alive > SILENCE:
            return f"No connection to Slack for {SILENCE:.0f} seconds."
        return None


def _connect(handler: StampingHandler) -> None:
    try:
        handler.client.connect()
    except SlackApiError as error:
        raise SettingsError(
            f"Slack does not take SLACK_APP_TOKEN: {error.response['error']}.",
            hint="It needs the scope connections:write of the same app.",
        ) from error
    except (SlackClientError, OSError) as error:
        raise SettingsError("Slack cannot be reached for Socket Mode.") from error


def _close(handler: StampingHandler) -> None:
    client = handler.client
    client.default_auto_reconnect_enabled = client.auto_reconnect_enabled = False
    # A reconnection under way would open a line that nobody closes.
    if client.connect_operation_lock.acquire(timeout=CONNECT_SECONDS):
        client.connect_operation_lock.release()
    session = client.current_session
    # The SDK waits in `recv` for up to three seconds; an ended line wakes it at once.
    if session is not None and session.sock is not None:
        with suppress(OSError):
            session.sock.shutdown(socket.SHUT_RD)
    client.close()

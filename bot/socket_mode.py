"""Receives over Socket Mode: two connections of one app, each noticed when it goes silent.

Slack gives each payload to one arbitrary connection, so that one may drop without anybody
noticing. What a payload means is for the listeners, which do not know how it came.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence

from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode.base_handler import BaseSocketModeHandler
from slack_bolt.adapter.socket_mode.internals import build_headers, send_response
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.arrival import ARRIVED, Stamps, Takes, take_up
from bot.settings import SettingsError
from bot.socket_client import SocketClient

CONNECTIONS = 2
CONCURRENCY = 32
PING_SECONDS = 3
CLOSE_SECONDS = 8.0
SILENCE = 60.0  # The SDK gives a connection up after four pings and opens another by itself.

log = logging.getLogger(__name__)


class StampingHandler(BaseSocketModeHandler):
    """A handler as Bolt's, which also says when each envelope came off the wire."""

    client: SocketClient

    def __init__(self, app: App, app_token: str, *, web_client: WebClient, takes: Takes) -> None:
        self.app = app
        self._stamps = Stamps()
        self._takes = takes
        self.client = SocketClient(
            app_token,
            logger=app.logger,
            web_client=web_client,
            proxy=app.client.proxy,
            ping_interval=PING_SECONDS,
            concurrency=CONCURRENCY,
            on_message_listeners=[self._stamp],
        )
        self.client.socket_mode_request_listeners.append(self.handle)

    def handle(self, client: BaseSocketModeClient, req: SocketModeRequest) -> None:
        """Take an envelope up and answer it."""
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

        They are given a few seconds; what is left behind ends with the process.
        """
        closers = [
            threading.Thread(target=handler.close, name="close", daemon=True)
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

"""The SDK's Socket Mode client, so that neither a click nor its answer is lost on the way.

In the SDK's own, whoever reads may go on with a line that was replaced and never come to the new
one; closing cuts the line before the listeners under way have answered on it; and an answer that
finds its line gone is not sent on the next.
"""

import json
import logging

from slack_sdk.errors import SlackClientNotConnectedError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.interval_runner import IntervalRunner

from bot.socket_line import Line
from bot.tls import tls

CONNECT_SECONDS = 2.0

log = logging.getLogger(__name__)


class SocketClient(SocketModeClient):
    """One connection at a time, replaced when it ends."""

    current_session: Line | None

    def connect(self) -> None:
        """Open a line, and let the one before go once what arrived on it was read.

        Raises:
            SlackApiError: Slack gives no address for it.
        """
        if self.wss_uri is None:
            self.wss_uri = self.issue_new_wss_url()
        before, line = self.current_session, self._line(self.wss_uri)
        line.connect()
        if line.is_active() or before is None:
            self.current_session = line  # From here on answers take the new one.
            if before is not None:
                before.end_reading()
                before.close()
        self.auto_reconnect_enabled = self.default_auto_reconnect_enabled
        if not self.current_app_monitor_started:
            self.current_app_monitor_started = True
            self.current_app_monitor.start()

    def send_message(self, message: str) -> None:
        """Send on the present line, or on the one that replaces it.

        Raises:
            SlackClientNotConnectedError: there is none.
        """
        try:
            self._present().send(message)
        except SlackClientNotConnectedError:
            if self.closed:
                raise
            self.connect_to_new_endpoint()
            self._present().send(message)

    def process_messages(self) -> None:
        """Hand on what arrives to the listeners, until `close` puts None at the end of it."""
        while (raw := self.message_queue.get()) is not None:
            try:
                self._hand_on(raw)
            except Exception:
                log.exception("a message of Slack was not handed on")

    def close(self) -> None:
        """Take nothing more, have what came answered, then end the line."""
        self.closed = True
        self.default_auto_reconnect_enabled = self.auto_reconnect_enabled = False
        # A reconnection under way would open a line that nobody closes.
        if self.connect_operation_lock.acquire(timeout=CONNECT_SECONDS):
            self.connect_operation_lock.release()
        _end(self.current_app_monitor)
        if self.current_session is not None:
            self.current_session.end_reading()
        _end(self.current_session_runner)
        self.message_processor.event.set()  # Before it is woken, or it would begin to wait again.
        self.message_queue.put(None)
        _end(self.message_processor)
        self.message_workers.shutdown()
        self.disconnect()

    def _line(self, url: str) -> Line:
        return Line(
            url=url,
            logger=self.logger,
            ping_interval=self.ping_interval,
            proxy=self.proxy,
            proxy_headers=self.proxy_headers,
            on_message_listener=self._on_message,
            on_error_listener=self._on_error,
            on_close_listener=self._on_close,
            ssl_context=self.web_client.ssl or tls(),
        )

    def _present(self) -> Line:
        if self.current_session is None:
            raise SlackClientNotConnectedError("There is no line to Slack.")
        return self.current_session

    def _on_message(self, message: str) -> None:
        for listener in self.on_message_listeners:  # They say when it came, before it is taken up.
            listener(message)
        self.enqueue_message(message)

    def _run_current_session(self) -> None:
        line = self.current_session
        if line is None or not line.is_active():
            return
        try:
            line.read()
        except Exception:
            # The thread must live: nobody else reads the next line. Of this one, what was taken
            # off is lost, so that reading on could begin amid a frame.
            log.exception("a line to Slack ended badly")
            line.disconnect()

    def _hand_on(self, raw: str) -> None:
        message = json.loads(raw) if raw.startswith("{") else {}
        if message.get("type") != "disconnect":
            self.message_workers.submit(self.run_message_listeners, message, raw)
        elif not self.closed:
            self.connect_to_new_endpoint(force=True)


def _end(runner: IntervalRunner) -> None:
    runner.event.set()
    if runner.is_alive():
        runner.thread.join()

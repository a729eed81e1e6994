"""Pushes syslog messages (RFC 5424) over TCP, each led by its length (RFC 6587).

TCP tells nobody what the other side has read. So each batch has a connection of its own: we
close our half, and the batch counts as taken once the receiver, having read all, closes its own.
One that closes before we do has not seen our end, so nobody knows what it read.
"""

import fcntl
import re
import select
import socket
import struct
import termios
import time
from collections.abc import Sequence

from bot.push_target import PushError, Told

TIMEOUT = 30.0
LOG_AUDIT = 13  # The facility.
NOTICE, WARNING = 5, 4
WARNED = frozenset(
    {
        "action.failed",
        "action.in_doubt",
        "approval.expired",
        "approval.refused",
        "break_glass.used",
        "key.revoke",
        "proposal.refused",
        "step_up.refused",
        "verification.failed",
        "verification.unknown",
    }
)
MOST_HOSTNAME, MOST_MSGID = 255, 32
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
BLOCK = 4096
LOOK_SECONDS = 0.01


class SyslogTarget:
    """A syslog receiver at one place."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._hostname = socket.gethostname() or "-"

    def send(self, events: Sequence[Told]) -> None:
        try:
            with socket.create_connection(self._place, timeout=TIMEOUT) as connection:
                for one in events:
                    message = syslog_message(one, hostname=self._hostname)
                    connection.sendall(b"%d %b" % (len(message), message))
                _refuse_early_end(connection)
                connection.shutdown(socket.SHUT_WR)
                _wait_for_end(connection)
        except OSError as error:
            why = type(error).__name__
            raise PushError(f"it cannot be reached, or broke off ({why})") from None


def _refuse_early_end(connection: socket.socket) -> None:
    """Refuse a receiver that has ended before we do, also behind something that it said."""
    end = time.monotonic() + TIMEOUT
    while select.select([connection], [], [], 0)[0]:
        if not connection.recv(BLOCK):
            raise ConnectionResetError
        _refuse_late(end)


def _wait_for_end(connection: socket.socket) -> None:
    """Return once the receiver has closed its half; whatever it says before does not count."""
    end = time.monotonic() + TIMEOUT
    while connection.recv(BLOCK):
        _refuse_late(end)
    # Its end may have been on its way before ours was: then what we sent since is not confirmed.
    while _unconfirmed(connection):
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise ConnectionResetError
        _refuse_late(end)
        time.sleep(LOOK_SECONDS)


def _refuse_late(end: float) -> None:
    if time.monotonic() > end:
        raise TimeoutError


def _unconfirmed(connection: socket.socket) -> int:
    """Return how many bytes the other side has not confirmed, 0 where that cannot be asked."""
    try:
        told = fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(struct.calcsize("i")))
    except OSError:
        return 0
    return int(struct.unpack("i", told)[0])


def syslog_message(told: Told, *, hostname: str) -> bytes:
    """Return one message: the kind is its MSGID, the event as JSON its text."""
    severity = WARNING if told.kind in WARNED else NOTICE
    head = (
        f"<{LOG_AUDIT * 8 + severity}>1",
        told.ts if MOMENT.fullmatch(told.ts) else "-",  # That of a broken entry may be any text.
        _field(hostname, MOST_HOSTNAME),
        "interlock",
        "-",  # No process: any of several may push the same entry.
        _field(told.kind, MOST_MSGID),
        "-",  # No structured data: the text has all of it.
    )
    return " ".join(head).encode() + b" " + told.event


def _field(text: str, most: int) -> str:
    """Return `text` as a field of the header may hold it."""
    return "".join(one if "!" <= one <= "~" else "_" for one in text)[:most] or "-"

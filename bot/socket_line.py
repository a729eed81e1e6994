"""One line of Socket Mode: the SDK's, which opens it, with reading and sending of our own.

The SDK builds no frame above 64 KB and hopes that one `send` takes all of it; while it waits for
the rest of one frame it forgets those that came before; and a line that the other side has ended
it reads on and on. Each of these loses a click or its answer.
"""

import os
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackClientNotConnectedError
from slack_sdk.socket_mode.builtin.connection import Connection
from slack_sdk.socket_mode.builtin.frame_header import FrameHeader

RECEIVE_BYTES = 64 * 1024
LOOK_MILLISECONDS = 100  # How soon whoever reads notices that nothing more is wanted.
_FLAG = 0b1000_0000  # The last frame of a text, in the first byte; a masked one, in the second.
_LONGER = {126: "!H", 127: "!Q"}  # Where a frame's length does not fit into seven bits.
_LEFT_OVER = b"\n"  # The last byte of the handshake, which the SDK leaves unread.
_ABNORMAL = 1006  # What RFC 6455 calls a line that ended without a goodbye.


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as it came; a long text may come in several, of which the last says so."""

    opcode: int
    payload: bytes
    is_last: bool


class Line(Connection):
    """A connection to Slack. Whoever reads it hands on what arrives until it ends."""

    def __init__(self, **known: Any) -> None:  # noqa: ANN401 - what the SDK's takes.
        super().__init__(**known)
        self._reading = threading.Lock()
        self._is_ours_to_end = False

    def connect(self) -> None:
        """Open it; the SDK tells only `is_active` whether that went well."""
        super().connect()
        # Without it, a line that never answers a single ping would never count as silent.
        self.last_ping_pong_time = time.time()

    def send(self, payload: str) -> None:
        """Send a text whole.

        Raises:
            SlackClientNotConnectedError: the line has ended.
        """
        frame = text_frame(payload)
        try:
            with self.sock_send_lock:
                if self.sock is None:
                    raise BrokenPipeError("the line has ended")
                self.sock.sendall(frame)
        except OSError as error:
            self.disconnect()  # After half a frame the other side understands nothing more.
            raise SlackClientNotConnectedError(f"An answer did not leave: {error}") from error

    def read(self) -> None:
        """Hand on what arrives until the line ends, then say so unless we ended it."""
        with self._reading:
            for text in _texts(self._frames()):
                if self.on_message_listener is not None:
                    self.on_message_listener(text)
        if self._is_ours_to_end:
            return  # What is under way is still answered on it.
        self.disconnect()
        if self.on_close_listener is not None:
            self.on_close_listener(_ABNORMAL, None)

    def end_reading(self) -> None:
        """Have whoever reads take what has arrived, and nothing after that."""
        self._is_ours_to_end = True
        with self._reading:
            pass  # Whoever reads has handed on the last of it.

    def disconnect(self) -> None:
        """Let go of the line once what is being sent has left; whoever reads it ends."""
        with self.sock_send_lock, self.sock_receive_lock:
            if self.sock is not None:
                self.sock.close()
                self.sock = None

    def _frames(self) -> Iterator[Frame]:
        """Yield the texts' frames as they come; answer the others."""
        buffer, unread = bytearray(), _LEFT_OVER
        while data := self._received():
            buffer += data.removeprefix(unread)
            unread = b""
            for frame in cut(buffer):
                if frame.opcode == FrameHeader.OPCODE_CLOSE:
                    return
                if frame.opcode == FrameHeader.OPCODE_PING:
                    self.pong(frame.payload)
                elif frame.opcode == FrameHeader.OPCODE_PONG:
                    self.last_ping_pong_time = time.time()
                else:
                    yield frame

    def _received(self) -> bytes:
        """Return what came next, nothing once the line has ended or nothing more is wanted."""
        while (sock := self.sock) is not None:
            try:
                if _has_come(sock):
                    with self.sock_receive_lock:
                        return sock.recv(RECEIVE_BYTES)
                if self._is_ours_to_end:
                    break
            except TimeoutError:
                continue  # Of TLS, the first part of something came.
            except (OSError, ValueError) as error:
                self.logger.info("a line to Slack broke: %s", error)
                break
        return b""


def _has_come(sock: socket.socket) -> bool:
    """Wait a moment for something to read.

    To end the line for reading would wake us at once, but TLS sends nothing after such an end.
    """
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    ready = select.poll()
    ready.register(sock, select.POLLIN)
    return bool(ready.poll(LOOK_MILLISECONDS))


def _texts(frames: Iterator[Frame]) -> Iterator[str]:
    whole = bytearray()
    for frame in frames:
        whole += frame.payload
        if frame.is_last:
            yield whole.decode()
            whole.clear()


def text_frame(text: str) -> bytes:
    """Build a frame that holds `text`, masked as a client's have to be."""
    payload, mask = text.encode(), os.urandom(4)
    count = len(payload)
    key = (mask * (count // len(mask) + 1))[:count]
    masked = int.from_bytes(payload) ^ int.from_bytes(key)
    head = bytes([FrameHeader.OPCODE_TEXT | _FLAG]) + _length(count)
    return head + mask + masked.to_bytes(count)


def _length(count: int) -> bytes:
    """Return the length of a masked frame in as few bytes as it needs, as the protocol wants it."""
    if count < min(_LONGER):
        return struct.pack("!B", count | _FLAG)
    marker = 126 if count < 1 << 16 else 127
    return bytes([marker | _FLAG]) + struct.pack(_LONGER[marker], count)


def cut(buffer: bytearray) -> Iterator[Frame]:
    """Take every whole frame off the front of `buffer`; what is left waits for its rest."""
    while (found := _first(buffer)) is not None:
        frame, end = found
        del buffer[:end]
        yield frame


def _first(buffer: bytearray) -> tuple[Frame, int] | None:
    """Return the first frame and where it ends, None while some of it is missing."""
    begin = 2
    if len(buffer) < begin:
        return None
    length = buffer[1] & ~_FLAG
    if longer := _LONGER.get(length):
        begin += struct.calcsize(longer)
        if len(buffer) < begin:
            return None
        (length,) = struct.unpack_from(longer, buffer, 2)
    end = begin + length
    if len(buffer) < end:
        return None
    opcode, is_last = buffer[0] & 0b1111, bool(buffer[0] & _FLAG)
    return Frame(opcode, bytes(buffer[begin:end]), is_last), end

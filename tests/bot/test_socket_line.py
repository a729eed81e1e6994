"""One line of Socket Mode, on a pair of sockets: nothing that is sent or came is lost."""

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackClientNotConnectedError
from websockets.frames import Frame as Received
from websockets.protocol import Protocol, Side

from bot.socket_line import Frame, Line, cut, text_frame
from tests.workflows.actions.test_egress import certificate

TEXT, PING, CLOSE = 0x1, 0x9, 0x8
LARGE = 400_000


def frame(opcode: int, payload: bytes, *, is_last: bool = True) -> bytes:
    """Build a frame as a server sends it."""
    first = bytes([opcode | (0x80 if is_last else 0)])
    if len(payload) < 126:
        return first + bytes([len(payload)]) + payload
    if len(payload) < 65_536:
        return first + b"\x7e" + len(payload).to_bytes(2) + payload
    return first + b"\x7f" + len(payload).to_bytes(8) + payload


@dataclass
class Ends:
    """A line that somebody reads, Slack's end of it, and what came of it."""

    line: Line
    slack: socket.socket
    reader: threading.Thread
    texts: list[str] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    def ended(self) -> bool:
        self.reader.join(30)
        return not self.reader.is_alive()


@contextmanager
def ends(
    *, patience: float = 3.0, pair: tuple[socket.socket, socket.socket] | None = None
) -> Iterator[Ends]:
    """Give both ends; `patience` is how long the line waits for bytes before it looks again."""
    ours, slacks = pair or socket.socketpair()
    ours.settimeout(patience)
    texts: list[str] = []
    closed: list[int] = []
    line = Line(
        url="",
        logger=logging.getLogger(__name__),
        on_message_listener=texts.append,
        on_close_listener=lambda code, _: closed.append(code),
    )
    line.sock = ours  # type: ignore[assignment]  # As an open one has it, without TLS.
    reader = threading.Thread(target=line.read, daemon=True)
    reader.start()
    with slacks:
        yield Ends(line, slacks, reader, texts, closed)
    line.close()
    reader.join(30)


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 9, 10]), st.binary(max_size=300), st.booleans())),
    st.lists(st.integers(1, 200), min_size=1),
)
def test_frames_are_cut_the_same_however_they_come(
    sent: list[tuple[int, bytes, bool]], pieces: list[int]
) -> None:
    wire = b"".join(frame(opcode, payload, is_last=last) for opcode, payload, last in sent)
    buffer, found = bytearray(), list[Frame]()
    while wire:
        for size in pieces:
            buffer += wire[:size]
            wire = wire[size:]
            found += cut(buffer)

    assert [(one.opcode, one.payload, one.is_last) for one in found] == sent
    assert not buffer


@pytest.mark.parametrize("count", [0, 125, 126, 65_535, 65_536])
def test_a_frame_is_read_as_it_was_meant_by_another_implementation(count: int) -> None:
    protocol = Protocol(Side.SERVER)
    text = "x" * count
    protocol.receive_data(text_frame(text))
    (event,) = protocol.events_received()

    assert isinstance(event, Received)
    assert event.data.decode() == text


def test_an_answer_larger_than_what_leaves_at_once_arrives_whole() -> None:
    with ends() as both:
        both.line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # type: ignore[union-attr]  # It is open.
        sending = threading.Thread(target=both.line.send, args=("x" * LARGE,))
        sending.start()
        came = 0
        while came < LARGE + 14:  # With a header and a mask, as clients send.
            came += len(both.slack.recv(65_536))
        sending.join()

    assert came == LARGE + 14


def test_a_text_is_not_forgotten_while_the_next_one_is_awaited() -> None:
    whole, next_one = frame(TEXT, b"first"), frame(TEXT, b"y" * 70_000)
    with ends(patience=0.02) as both:
        both.slack.sendall(whole + next_one[:10])
        both.reader.join(0.1)  # It looks several times, in vain.
        both.slack.sendall(next_one[10:])
        both.slack.close()
        assert both.ended()

    assert both.texts == ["first", "y" * 70_000]


def test_a_text_in_several_frames_is_one_text_and_a_ping_between_is_answered() -> None:
    with ends() as both:
        both.slack.sendall(frame(TEXT, "ä".encode()[:1], is_last=False))
        both.slack.sendall(frame(PING, b"still there?"))
        both.slack.sendall(frame(0, "ä".encode()[1:]))
        pong = both.slack.recv(100)
        both.slack.close()
        assert both.ended()

    assert both.texts == ["ä"]
    assert pong[0] == 0x8A


@pytest.mark.parametrize("goodbye", [b"", frame(CLOSE, b"")])
def test_a_line_that_slack_ends_is_noticed_at_once(goodbye: bytes) -> None:
    with ends() as both:
        both.slack.sendall(goodbye)
        if not goodbye:
            both.slack.close()
        assert both.ended()
        assert not both.line.is_active()

    assert both.closed == [1006]


def test_what_has_arrived_is_read_before_a_line_is_let_go() -> None:
    with ends() as both:
        both.slack.sendall(frame(TEXT, b"in time"))
        both.line.end_reading()
        both.line.close()
        assert both.ended()

    assert both.texts == ["in time"]
    assert both.closed == []  # We ended it ourselves.


def test_an_answer_on_a_line_that_has_ended_says_so() -> None:
    with ends() as both:
        both.line.close()

        with pytest.raises(SlackClientNotConnectedError):
            both.line.send("too late")


def over_tls(folder: Path) -> tuple[socket.socket, socket.socket]:
    """Give both ends of a line as it is to Slack itself."""
    ours, slacks = socket.socketpair()
    chain, key = certificate(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    client = ssl.create_default_context(cafile=str(chain))
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(server.wrap_socket, slacks, server_side=True)
        return client.wrap_socket(ours, server_hostname="127.0.0.1"), accepted.result()


def test_over_tls_what_came_is_answered_after_reading_has_ended(tmp_path: Path) -> None:
    ours, slacks = over_tls(tmp_path)
    with ends(pair=(ours, slacks)) as both:
        both.slack.sendall(frame(TEXT, b"in time"))
        both.line.end_reading()
        both.line.send("an answer")
        answer = both.slack.recv(100)

    assert both.texts == ["in time"]
    assert answer[0] == TEXT | 0x80

"""A server that speaks German, or anything else, is told from one that is away."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage.database import open_database
from storage.verify import verify_database
from workflows.errors import StorageUnavailableError

# What a server with lc_messages = de_DE says to a stranger.
REFUSALS = {
    "28P01": "Passwort-Authentifizierung für Benutzer »bot« fehlgeschlagen",
    "28000": "kein pg_hba.conf-Eintrag für Host »127.0.0.1«, Benutzer »bot«",
    "3D000": "Datenbank »ops« existiert nicht",
}
IS_STARTING = ("57P03", "the database system is starting up")
ENCRYPTED = (80877103, 80877104)  # Whoever begins so asks for TLS, or for Kerberos.


class _Refusing(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while True:
            (length,) = struct.unpack("!I", self._read(4))
            said = self._read(length - 4)
            if struct.unpack("!I", said[:4])[0] not in ENCRYPTED:
                break
            self.request.sendall(b"N")
        code, words = self.server.says  # type: ignore[attr-defined]  # It is given by `refusing`.
        parts = {"S": "VIKTIGT", "V": "FATAL", "C": code, "M": words}
        told = b"".join(name.encode() + text.encode() + b"\0" for name, text in parts.items())
        self.request.sendall(b"E" + struct.pack("!I", len(told) + 5) + told + b"\0")

    def _read(self, count: int) -> bytes:
        read = b""
        while len(read) < count and (more := self.request.recv(count - len(read))):
            read += more
        return read


@contextmanager
def refusing(code: str, words: str) -> Iterator[str]:
    """Give the address of a server that says this to everybody."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Refusing) as server:
        server.says = code, words  # type: ignore[attr-defined]  # As above.
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"postgresql://bot:secret@127.0.0.1:{server.server_address[1]}/ops"
        server.shutdown()


@pytest.mark.parametrize("code", REFUSALS)
def test_a_server_that_refuses_in_another_language_is_not_one_that_is_away(code: str) -> None:
    with refusing(code, REFUSALS[code]) as url:
        with pytest.raises(StorageUnavailableError, match="does not let the bot in"):
            open_database(url)
        report = verify_database(url, [])

    assert (report.exit, report.is_away) == (2, True)
    assert "does not let the bot in" in str(report.malformed)


def test_a_server_that_is_about_to_start_is_away() -> None:
    with (
        refusing(*IS_STARTING) as url,
        pytest.raises(StorageUnavailableError, match="cannot be reached"),
    ):
        open_database(url)


def test_what_the_driver_says_in_two_lines_is_one_in_a_report(tmp_path: Path) -> None:
    report = verify_database(f"postgresql:///ops?host={tmp_path}", [])

    assert report.is_away
    assert "Is the server running locally" in str(report.malformed)
    assert "\n" not in str(report.malformed)

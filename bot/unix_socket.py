"""Unix sockets in the home folder: their address, and who is at the other end.

A socket's address holds about a hundred bytes, which a deep home folder exceeds; then the
folder is opened and named by its descriptor.
"""

import os
import pwd
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workflows.people import PersonId

MOST_ADDRESS = 100
_CREDENTIALS = struct.Struct("3i")  # Process, user, group, as the kernel gives them.


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Yield an address for `path` that is short enough."""
    if len(os.fsencode(path)) <= MOST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen_at(path: Path) -> socket.socket:
    """Return a socket that listens at `path` and that only this user may use."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The file takes over the mode of the socket, so it is never open to others, not even at
    # first. A umask would be that of every thread, and of the folders they make meanwhile.
    os.fchmod(listener.fileno(), 0o600)
    with address_of(path) as address:
        listener.bind(address)
    listener.listen()
    return listener


def connect_to(path: Path, *, timeout: float) -> socket.socket | None:
    """Return a connection to whoever listens at `path`, or None."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        with address_of(path) as address:
            connection.connect(address)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        connection.close()
        return None
    return connection


def peer_of(connection: socket.socket) -> PersonId:
    """Return who is at the other end, as the kernel knows it."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(packed)
    return person_of(user)


def person_of(user: int) -> PersonId:
    """Return the person behind a user id of this machine."""
    try:
        return PersonId(f"os:{pwd.getpwuid(user).pw_name}")
    except KeyError:
        return PersonId(f"os:{user}")


def read_line(connection: socket.socket, *, most: int) -> bytes:
    """Return what comes up to the first line break, at most `most` bytes."""
    received = bytearray()
    while not received.endswith(b"\n") and len(received) < most:
        chunk = connection.recv(min(65536, most - len(received)))
        if not chunk:
            break
        received += chunk
    return bytes(received)

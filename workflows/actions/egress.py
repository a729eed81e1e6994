"""Connections that lead only where they may, and end when they must.

A name is resolved once, its addresses are checked, and the connection goes to a checked
address, so a name that changes its mind in between gains nothing. Every wait is bounded by
one `Deadline`. Which hosts may be named at all is for `workflows/actions/http` to say.
"""

import ipaddress
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import httpcore

from workflows.errors import ActionFailedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Given = TypeVar("Given")

# Where clouds tell a machine its own secrets, whichever network that looks like.
METADATA = frozenset(
    ipaddress.ip_address(one)
    for one in (
        "169.254.169.254",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
    )
)
# Networks of the protocols themselves, of relays and of examples: nothing to talk to is there.
NOBODYS = tuple(
    ipaddress.ip_network(one)
    for one in ("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)
NAT64 = ipaddress.ip_network("64:ff9b::/96")
ISATAP = frozenset({0x00005EFE, 0x02005EFE})
CHUNK = 65536


class Deadline:
    """A moment on the monotonic clock after which nothing is waited for any more."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self._at - time.monotonic())


def is_allowed(text: str, *, private: bool) -> bool:
    """Say whether an address may be connected to.

    Addresses that lead to a cloud's metadata, to one link or to many machines never may.
    """
    address = _innermost(ipaddress.ip_address(text.partition("%")[0]))
    if address in METADATA or address.is_link_local or address.is_multicast:
        return False
    if address.is_unspecified or (address.is_reserved and not address.is_loopback):
        return False
    if any(address in network for network in NOBODYS):
        return False
    is_site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return private or (address.is_global and not is_site_local)


def _innermost(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one only wraps, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64 or (int(address) >> 32) & 0xFFFFFFFF in ISATAP:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects to checked addresses until the deadline; `has_sent` once a byte has left."""

    def __init__(self, *, private: bool, deadline: Deadline) -> None:
        self._private = private
        self._deadline = deadline
        self.has_sent = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that may be reached and answers.

        Raises:
            ActionFailedError: every address of this host is out of bounds.
            httpcore.ConnectError, httpcore.ConnectTimeout: nobody answers there.
        """
        del timeout, local_address, socket_options  # The deadline and the guard replace them.
        found = _resolve(host, port, self._deadline)
        allowed = [one for one in found if is_allowed(one, private=self._private)]
        if not allowed:
            raise ActionFailedError(
                f"{host} leads to {', '.join(found)}, where this service may not go.",
                error_class="egress_refused",
                hint="If that is meant, set `private: true` for the service in policy.yaml.",
            )
        return _Stream(_connect(allowed, port, self._deadline), self._deadline, self._note)

    def _note(self) -> None:
        self.has_sent = True


def _resolve(host: str, port: int, deadline: Deadline) -> list[str]:
    """Return the addresses of `host`, in the system's order, each once."""
    found: list[str] = []
    faults: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as fault:
            faults.append(fault)

    # The system's resolver knows no deadline, so it is left behind when ours is over.
    thread = threading.Thread(target=look_up, daemon=True, name="interlock-resolve")
    thread.start()
    thread.join(deadline.remaining())
    if found and not thread.is_alive():
        return found
    if faults:
        raise httpcore.ConnectError(f"{host} has no address: {faults[0]}")
    raise httpcore.ConnectTimeout(f"the address of {host} was not found in time")


def _connect(addresses: list[str], port: int, deadline: Deadline) -> socket.socket:
    fault: OSError | None = None
    for address in addresses:
        if not deadline.remaining():
            break
        try:
            return socket.create_connection((address, port), deadline.remaining())
        except OSError as tried:
            fault = tried
    if fault is None or isinstance(fault, TimeoutError):
        raise httpcore.ConnectTimeout("nobody answered in time")
    raise httpcore.ConnectError(str(fault))


class _Stream(httpcore.NetworkStream):
    """One connection, every wait of which ends at the deadline."""

    def __init__(
        self, sock: socket.socket, deadline: Deadline, note_sent: Callable[[], None]
    ) -> None:
        sock.setblocking(False)  # noqa: FBT003  the standard library takes it by position
        self._socket = sock
        self._deadline = deadline
        self._note_sent = note_sent

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        try:
            return self._persist(partial(self._socket.recv, max_bytes), select.POLLIN)
        except TimeoutError as fault:
            raise httpcore.ReadTimeout("the answer did not come in time") from fault
        except OSError as fault:
            raise httpcore.ReadError(str(fault)) from fault

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        rest = memoryview(buffer)
        try:
            while rest:
                send = partial(self._socket.send, rest[:CHUNK])
                sent = self._persist(send, select.POLLOUT)
                self._note_sent()
                rest = rest[sent:]
        except TimeoutError as fault:
            raise httpcore.WriteTimeout("the request was not taken in time") from fault
        except OSError as fault:
            raise httpcore.WriteError(str(fault)) from fault

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        del timeout
        try:
            self._socket = ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            self._persist(self._socket.do_handshake, select.POLLIN)
        except TimeoutError as fault:
            self.close()
            raise httpcore.ConnectTimeout("no secure connection in time") from fault
        except OSError as fault:
            self.close()
            raise httpcore.ConnectError(str(fault)) from fault
        return self

    def _persist(self, attempt: Callable[[], Given], awaited: int) -> Given:
        """Repeat `attempt` whenever the socket is ready for it, until the deadline."""
        while self._deadline.remaining():
            try:
                return attempt()
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)
            except BlockingIOError:
                self._wait(awaited)
        raise TimeoutError

    def _wait(self, awaited: int) -> None:
        poll = select.poll()
        poll.register(self._socket, awaited)
        if not poll.poll(self._deadline.remaining() * 1000):
            raise TimeoutError

"""Connections lead only to checked addresses, secure ones included."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpcore
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from workflows.actions import http_exchange
from workflows.actions.base import Call
from workflows.actions.egress import Deadline, GuardedNetwork, is_allowed
from workflows.actions.http import HttpCall, HttpRequest
from workflows.errors import ActionFailedError, NotPerformedError, TransientReadError
from workflows.services import Services

Calls = Callable[..., Call]
NEVER = [
    "169.254.169.254",
    "fd00:ec2::254",
    "100.100.100.200",
    "169.254.1.1",
    "fe80::1%eth0",
    "224.0.0.1",
    "ff02::1",
    "0.0.0.0",
    "::",
    "255.255.255.255",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::169.254.169.254",
    "2001:4860::5efe:a9fe:a9fe",
    "fd20:ce::254",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "192.0.0.192",
    "192.88.99.1",
    "0.1.2.3",
    "3fff::1",
    "2001:0:5db8:d70e::5601:5601",  # Teredo, which writes 169.254.169.254 the other way round.
]
PRIVATE = [
    "127.0.0.1",
    "::1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd12::1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fec0::1",
    "2001:4860::200:5efe:a00:1",
    "2001:0:5db8:d70e::f5ff:fffe",
]


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_reached(address: str) -> None:
    assert not is_allowed(address, private=False)
    assert not is_allowed(address, private=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_reached_only_by_private_services(address: str) -> None:
    assert not is_allowed(address, private=False)
    assert is_allowed(address, private=True)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_reached(address: str) -> None:
    assert is_allowed(address, private=False)


def names(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let the resolver give these answers, one each time it is asked."""
    asked: list[str] = []
    truly = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: int, **named: int) -> list[tuple[object, ...]]:
        if host[0].isdigit():
            return truly(host, port, *rest, **named)
        asked.append(host)
        address = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr("workflows.actions.egress.socket.getaddrinfo", look_up)
    return asked


def test_a_name_is_looked_up_once_and_the_checked_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        connected: list[tuple[str, int]] = []
        connect = socket.create_connection

        def note(address: tuple[str, int], timeout: float) -> socket.socket:
            connected.append(address)
            return connect(address, timeout)

        asked = names(monkeypatch, "127.0.0.1", "169.254.169.254")
        monkeypatch.setattr("workflows.actions.egress.socket.create_connection", note)
        network = GuardedNetwork(private=True, deadline=Deadline(5))
        network.connect_tcp("shop.example", port).close()

    assert asked == ["shop.example"]
    assert connected == [("127.0.0.1", port)]
    assert not network.has_sent


def test_a_name_that_leads_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names(monkeypatch, "10.0.0.8")

    with pytest.raises(ActionFailedError, match=r"shop\.example leads to 10\.0\.0\.8"):
        GuardedNetwork(private=False, deadline=Deadline(5)).connect_tcp("shop.example", 80)


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    monkeypatch.setattr(
        "workflows.actions.egress.socket.getaddrinfo", lambda *_, **__: free.wait(60) and []
    )
    started = time.monotonic()

    with pytest.raises(httpcore.ConnectTimeout):
        GuardedNetwork(private=True, deadline=Deadline(0.2)).connect_tcp("shop.example", 80)

    assert time.monotonic() - started < 30
    free.set()


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a key and a certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, private


@pytest.fixture
def secure_port(tmp_path: Path) -> Iterator[int]:
    chain, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
                secure.recv(65536)
                body = b"[" + b"1," * 50_000 + b"2]"
                head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                secure.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(2)


def secure(port: int) -> HttpRequest:
    service = {"base_url": f"https://127.0.0.1:{port}", "private": True}
    return HttpRequest(Services.model_validate({"services": {"shop": service}}))


def test_a_secure_service_is_read_over_tls(
    secure_port: int, a_call: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = httpx.create_ssl_context(verify=True)
    trusted.load_verify_locations(tmp_path / "chain.pem")
    monkeypatch.setattr(http_exchange, "_tls", lambda: trusted)

    got = secure(secure_port).perform(HttpCall(service="shop", path="/"), a_call())

    assert len(got.body) == 50_001


def test_an_effect_is_not_sent_to_a_service_whose_certificate_nobody_vouches_for(
    secure_port: int, a_call: Calls
) -> None:
    with pytest.raises(NotPerformedError, match="cannot be reached"):
        secure(secure_port).perform(HttpCall(service="shop", method="POST", path="/"), a_call())


def test_a_handshake_that_never_ends_ends_at_the_deadline(a_call: Calls) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])

        with pytest.raises(TransientReadError, match=r"longer than 0\.3 s"):
            secure(port).perform(HttpCall(service="shop", path="/"), a_call(timeout=0.3))

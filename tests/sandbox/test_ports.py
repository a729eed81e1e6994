"""Ports for programs that must be told one before they start."""

import socket
from pathlib import Path

import pytest

from sandbox.errors import PortError
from sandbox.ports import LEAST, free_port
from sandbox.server import SandboxServer


def test_a_port_is_never_one_that_an_outgoing_connection_may_be_given() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    assert all(LEAST <= free_port() < first for _ in range(20))


def test_a_port_is_given_out_once_and_never_one_that_is_taken() -> None:
    given = free_port()
    with socket.create_server(("127.0.0.1", given + 1)):
        following = free_port()

    assert following not in (given, given + 1)


def test_a_port_that_nothing_can_listen_at_is_named_with_the_reason() -> None:
    taken = free_port()
    told = f"Port {taken} cannot be used: Address already in use"
    with socket.create_server(("127.0.0.1", taken)), pytest.raises(PortError, match=told):
        SandboxServer(port=taken).start()
    with pytest.raises(PortError, match="no port 99999"):
        SandboxServer(port=99999).start()

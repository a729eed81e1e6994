"""Ports of this machine to listen at, for programs that must be told one before they start.

A port that the kernel gave out and that was closed again may be anybody's a moment later:
outgoing connections are given theirs from the same range. So these lie below that range.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

LEAST = 12_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_STRIDE = 499  # Processes started one after the other begin that far apart.


def free_port() -> int:
    """Return a port where nobody listens; the next call returns another.

    Raises:
        RuntimeError: every one of them is taken.
    """
    for port in _PORTS:
        if _is_free(port):
            return port
    raise RuntimeError("every port below the kernel's own range is taken")


def _ports() -> Iterator[int]:
    count = _kernels_first() - LEAST
    begin = os.getpid() * _STRIDE
    return (LEAST + (begin + one) % count for one in range(count))


def _kernels_first() -> int:
    """Return the first port that the kernel gives to outgoing connections."""
    return int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


_PORTS = _ports()

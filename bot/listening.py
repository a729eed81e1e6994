"""Opens what a server listens at, before any thread of it runs.

So the reason why an address cannot be had is known at once, in the system's own words.
"""

import errno
import os
import socket

# A machine without IPv6 may still resolve a name to an address of it.
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def open_listeners(host: str, port: int) -> list[socket.socket]:
    """Listen at each address of `host` that this machine has.

    Raises:
        OSError: one of them cannot be had, or there is none; `reason_of` says why.
    """
    opened: list[socket.socket] = []
    missing: OSError | None = None
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            opened.append(socket.create_server(address[:2], family=family))
        except OSError as error:
            missing = error
            if error.errno not in _NOT_HERE:
                break
    if missing is None or (opened and missing.errno in _NOT_HERE):
        return opened
    for one in opened:
        one.close()
    raise missing


def reason_of(error: OSError) -> str:
    """Return the system's words for why an address cannot be had."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return str(error.strerror)
    return os.strerror(error.errno)  # Python adds the address to its own.

"""What checks the certificates of the hosts that the bot calls."""

import ssl
from functools import cache


def tls_for(url: str) -> ssl.SSLContext | None:
    """Return what checks a host's certificate; None without TLS."""
    return tls() if url.startswith("https") else None


@cache
def tls() -> ssl.SSLContext:
    """Return what checks certificates by those that this machine trusts, one for all connections.

    Reading them takes 20 ms and 1 MB. Libraries do it again for each call or line that brings
    no context, and some calls are waited for by a person.
    """
    return ssl.create_default_context()

"""What checks the certificates of the hosts that the bot calls."""

import ssl
from functools import cache


def tls_for(url: str) -> ssl.SSLContext | None:
    """Return what checks a host's certificate, one for all connections; None without TLS."""
    return _tls() if url.startswith("https") else None


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificate store takes 20 ms and 1 MB. urllib does it again for each call
    # that brings no context, and some calls are waited for by a person.
    return ssl.create_default_context()

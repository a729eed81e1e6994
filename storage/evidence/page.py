"""The verifier for a browser: one HTML page, assembled from the small files beside it.

The page's own policy lets this script and this style run and nothing else, and forbids every
connection. It was written from the specification, apart from the verifiers in Python.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parent / "shipped" / "page"
# Each file stands after those it imports.
MODULES = (
    "sha256",
    "bytes",
    "signing",
    "tree",
    "files",
    "source",
    "zip",
    "report",
    "reports",
    "columns",
    "rows",
    "cells",
    "notes",
    "keyring",
    "entries",
    "parts",
    "manifest",
    "heads",
    "der",
    "certificates",
    "stamps",
    "anchors",
    "holds",
    "story",
    "words",
    "runs",
    "samples",
    "proofs",
    "ids",
    "verifier",
    "view",
    "main",
)
IMPORT = re.compile(r"^import \{[^}]*\} from \"\./[a-z0-9]+\.js\";\n", re.MULTILINE)
EXPORT = re.compile(r"^export ", re.MULTILINE)


@cache
def browser_verifier() -> bytes:
    """Return the page as one file."""
    script = "\n".join(_module(name) for name in MODULES)
    style = (SOURCE / "page.css").read_text(encoding="utf-8")
    page = (SOURCE / "page.html").read_text(encoding="utf-8")
    told = {
        "{script_hash}": _hash(script),
        "{style_hash}": _hash(style),
        "{style}": style,
        "{script}": script,
    }
    for place, text in told.items():
        page = page.replace(place, text)
    return page.encode()


def _module(name: str) -> str:
    """Return a module's text to stand with the others in one scope."""
    text = (SOURCE / f"{name}.js").read_text(encoding="utf-8")
    return f"// --- {name}.js\n{EXPORT.sub('', IMPORT.sub('', text))}"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"

"""What a serving process does not load, since nothing of it is needed while the bot waits."""

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("bot", "storage", "workflows")

# Each with what it would add to the memory of a bot that waits, as measured.
UNNEEDED = {
    "sqlalchemy.orm": "6 MB; tables are declared by storage.declaring",
    "sqlalchemy.dialects.postgresql": "2 MB, on SQLite",
    "alembic": "10 MB; a database that is up to date needs none of it",
    "psycopg": "9 MB, on SQLite",
    "storage.postgres_database": "on SQLite",
    "cryptography.hazmat.primitives.serialization": "0.7 MB; it reads keys of every kind",
    "cel_expr_python": "8 MB; a start on files known to be sound evaluates nothing",
    "ruamel.yaml": "1.5 MB; a start on known files parses none",
    "httpx": "4 MB, and 5 more where rich is installed; the first request loads it",
    "httpcore": "with httpx",
    "storage.evidence.export": "1 MB, with what it writes; a pack is made now and then",
    "bot.pushing": "only where entries are pushed",
    "bot.anchors.anchoring": "only where heads are kept outside",
    "bot.access": "only a review of access reads who may do what",
    "workflows.access_review": "as above; it reads YAML",
    "bot.orders": "1 MB, with what orders do; commands hand some over now and then",
    "bot.home_reading": "0.5 MB; Homes are drawn once somebody has opened theirs",
    "bot.commands": "1 MB, with the lists that are asked for; bot.handlers imports them",
    "bot.answering": "as above",
    "bot.breaking": "as above",
    "bot.deciding_batches": "as above",
    "bot.delegating": "as above",
    "bot.digest_replies": "as above",
    "bot.scheduling": "as above",
    "bot.shortcuts": "as above",
    "bot.starting": "as above",
    "bot.suggesting": "as above",
    "bot.threads": "as above",
    "bot.moving_runs": "as above",
    "bot.rendering_trouble": "what is seldom sent is drawn by what is imported then",
    "bot.rendering_codes": "as above",
    "bot.rendering_reviews": "as above",
    "bot.thread_summaries": "0.4 MB, with what reads conversations; bot.app imports it",
    "bot.metrics.meters": "only where figures are shown",
    "bot.proposing": "a change of the catalog is put to people now and then",
    "bot.catalog_pages": "with what it shows; seldom asked for",
    "workflows.comparing": "only cards of changes of the catalog and questions about them need it",
    "workflows.check_meaning": "0.5 MB; a start on files known to be sound asks nothing of it",
    "workflows.check_steps": "with check_meaning",
    "workflows.policy_faults": "as above, of a known policy",
    "workflows.foreseeing": "0.2 MB, with what explains a policy; only a new schedule asks for it",
    "workflows.explaining": "with foreseeing",
    "difflib": "only where something is misspelt, or nearly a copy",
    "bot.digest_making": "0.5 MB, with what it reads; a digest is made once a week, or if asked",
    "storage.rows": "the first statement of a step loads it",
    "storage.retention.payloads": "0.3 MB; few runs erase anybody, and a sweep is once a day",
    "storage.retention.sweep": "as above",
    "statistics": "only figures of a digest need it",
    "rich": "4 MB; libraries load it where they find it",
    "starlette": "signed HTTP alone needs it",
    "bot.socket_mode": "Socket Mode alone needs it",
    "uvicorn": "signed HTTP alone needs it",
}


SCRIPT = """
import json, sys
import bot.cli.serving, bot.serve
from storage.database import open_database
open_database(sys.argv[1]).close()
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    file: Path = tmp_path_factory.mktemp("lean") / "interlock.db"
    command = [sys.executable, "-c", SCRIPT, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return frozenset(json.loads(done.stdout))


@pytest.mark.parametrize("name", UNNEEDED)
def test_a_waiting_bot_has_not_loaded(loaded: frozenset[str], name: str) -> None:
    assert name not in loaded, UNNEEDED[name]


def test_an_http_client_is_loaded_where_a_step_that_needs_it_is_put_to_people() -> None:
    script = """
import sys
from workflows.actions.http import HttpRequest
before = "httpx" in sys.modules
HttpRequest.load(None)
print(before, "httpx" in sys.modules)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["False", "True"]


def test_what_threads_of_another_library_would_need_is_not_loaded_by_a_request() -> None:
    script = """
import sys, urllib.request
from bot.http import HttpServer
from bot.watched_routes import ready_route
from sandbox.ports import free_port

class Calm:
    def look(self):
        return {}

port = free_port()
server = HttpServer(None, host="127.0.0.1", port=port, more=[ready_route(Calm())])
server.start()
print(urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").status)
server.stop()
print("anyio._backends._asyncio" in sys.modules)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True)

    assert done.stdout.split() == ["200", "False"]


def test_no_module_of_ours_ever_loads_the_orm() -> None:
    """Half loaded by one thread, it has the statements of all others fail."""
    ours = [one for part in OURS for one in (ROOT / part).rglob("*.py")]
    # Only a text that names it can import it; the others need no parsing.
    named = {one: text for one in ours if "sqlalchemy.orm" in (text := one.read_text())}
    found = {one.relative_to(ROOT): _imported(ast.parse(text).body) for one, text in named.items()}

    assert len(ours) > 500
    assert [str(one) for one, names in found.items() if "sqlalchemy.orm" in names] == []


def _imported(body: Sequence[ast.stmt]) -> frozenset[str]:
    """Return the modules that are imported when this runs, wherever in it."""
    names: set[str] = set()
    for one in body:
        if isinstance(one, ast.If) and ast.unparse(one.test) == "TYPE_CHECKING":
            names |= _imported(one.orelse)
            continue
        for node in ast.walk(one):
            names |= {node.module or ""} if isinstance(node, ast.ImportFrom) else set()
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
    return frozenset(names)

"""The container files: nobody builds them here, so what they say is held against what is there.

The image's own commands run by hand, without an index: the project is built and begins a log.
"""

import json
import os
import re
import subprocess
import sys
import threading
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.settings import FROM_FILES, Settings, read_settings
from tests.docs.pages import ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe").load((DEPLOY / "compose.yml").read_text())
BOTS = {name: one for name, one in COMPOSE["services"].items() if name.startswith("bot-")}
VARIABLES = {str(one.validation_alias) for one in Settings.model_fields.values()}
FILES = {f"{Settings.model_fields[one].validation_alias}_FILE" for one in FROM_FILES}


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile, continued lines as one."""
    kept = "\n".join(one for one in DOCKERFILE.splitlines() if not one.startswith("#"))
    lines = kept.replace("\\\n", " ").splitlines()
    return [(one.split(" ", 1)[0], one.split(" ", 1)[1].strip()) for one in lines if one.strip()]


def copied() -> list[str]:
    """Return what the image takes from the repository."""
    found = [text.split() for word, text in instructions() if word == "COPY"]
    return [one for words in found if not words[0].startswith("--from") for one in words[:-1]]


def test_what_the_image_copies_is_there_and_is_let_through() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = {one.removeprefix("!") for one in ignored if one.startswith("!")}

    assert "*" in ignored
    assert {*copied()} == allowed
    assert all((ROOT / one).exists() for one in allowed)
    assert not any(fnmatch(one, ".venv*") for one in allowed)


def test_the_bot_runs_as_nobody_special_and_only_hashed_wheels_are_installed() -> None:
    last = [text for word, text in instructions() if word == "USER"][-1]
    pip = [text for word, text in instructions() if "pip install" in text]

    assert last == "10001:10001"
    assert "--require-hashes" in pip[0]
    assert "--only-binary :all:" in pip[0]
    assert all(part in pip[1] for part in ("--no-index", "--no-deps", "--no-build-isolation"))
    assert not re.search(r"https?://(?!127\.0\.0\.1)", DOCKERFILE)


def test_the_image_names_settings_that_exist() -> None:
    named = set(re.findall(r"\b(?:INTERLOCK|SLACK)_[A-Z_]+", DOCKERFILE))

    assert named <= VARIABLES | FILES


@pytest.mark.parametrize("status", [200, 503])
def test_the_health_check_passes_while_somebody_answers_well(status: int) -> None:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    check = next(text for word, text in instructions() if word == "HEALTHCHECK")
    words = json.loads(check[check.index("[") :])
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        code = words[2].replace("9464", str(server.server_port))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        answering.join()

    assert words[0] == "python"
    assert (done.returncode == 0) is (status == 200)


def test_each_bot_has_a_home_of_its_own_and_everything_else_in_common() -> None:
    homes = [one["volumes"][0] for one in BOTS.values()]
    rest = [{**one, "volumes": one["volumes"][1:]} for one in BOTS.values()]

    assert len(BOTS) == 2
    assert len(set(homes)) == 2
    assert all(one.endswith(":/var/lib/interlock") for one in homes)
    assert {one.split(":")[0] for one in homes} < set(COMPOSE["volumes"])
    assert rest[0] == rest[1]


def test_every_variable_of_the_bots_is_a_setting_and_every_secret_is_a_file_of_it() -> None:
    for one in BOTS.values():
        given = one["environment"]
        mounted = {f"/run/secrets/{name}" for name in one["secrets"]}
        files = {value for name, value in given.items() if name.endswith("_FILE")}

        assert set(given) <= VARIABLES | FILES
        assert files == mounted
        assert set(one["secrets"]) <= set(COMPOSE["secrets"])
        assert not any("xoxb" in str(value) for value in given.values())
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]


def test_the_settings_of_a_bot_can_be_read(tmp_path: Path) -> None:
    given = {**BOTS["bot-1"]["environment"], "INTERLOCK_ORIGIN": "acme.example/audit"}
    for name in [one for one in given if one.endswith("_FILE")]:
        file = tmp_path / name
        file.write_text("postgresql://interlock@database/interlock\n")
        given[name] = str(file)
    settings = read_settings({**given, "INTERLOCK_CHANNEL": "ops"})

    assert not settings.is_sqlite
    assert settings.metrics_address == ("0.0.0.0", 9464)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the project as the image does, from what the image copies, into a folder."""
    folder = tmp_path_factory.mktemp("image")
    source, site = folder / "src", folder / "site"
    source.mkdir()
    listed = ["git", "ls-files", "-z", *copied()]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True).stdout.split(b"\0")
    for name in filter(None, (os.fsdecode(one) for one in names)):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    flags = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(site), "."]
    done = subprocess.run([*pip, *flags], cwd=source, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return site


def test_installed_as_the_image_does_it_a_log_begins(installed: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "INTERLOCK_HOME": str(tmp_path / "home"),
    }
    command = [sys.executable, "-m", "bot.cli", "init", "--json"]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, check=False, capture_output=True, text=True
    )
    told = json.loads(done.stdout)

    assert told["vkey"].startswith("interlock.localhost/audit+")
    assert told["manifest"]["settings"]["socket_mode_enabled"] is True
    assert (tmp_path / "home" / "slack-manifest.yml").read_text() == (
        ROOT / "manifest.yml"
    ).read_text()

"""The systemd units: read by systemd itself where it is there, by their lines everywhere."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted(one for one in DEPLOY.iterdir() if one.suffix in {".service", ".timer"})
SERVICE = (DEPLOY / "interlock.service").read_text()
PROGRAM = "/opt/interlock/bin/interlock"
MOST_EXPOSED = 2.0  # Of ten; systemd's own units are at 1 to 9.

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd to read units"
)


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    for one in UNITS:
        text = one.read_text().replace(f"={PROGRAM} ", "=/bin/true ")
        (tmp_path / one.name).write_text(text)
    told = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / unit.name)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert told.stdout + told.stderr == ""


@needs_systemd
def test_systemd_finds_the_bot_well_shut_in() -> None:
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(DEPLOY / "interlock.service")],
        check=False,
        capture_output=True,
        text=True,
    ).stdout
    exposed = re.search(r"Overall exposure level for interlock\.service: ([\d.]+)", told)

    assert exposed is not None
    assert float(exposed[1]) <= MOST_EXPOSED


@pytest.mark.parametrize(
    "line",
    [
        "User=interlock",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "Restart=always",
        "EnvironmentFile=/etc/interlock/interlock.env",
    ],
)
def test_the_bot_is_shut_in_and_started_again(line: str) -> None:
    assert line in SERVICE.splitlines()


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_no_unit_runs_anything_but_a_command_of_ours(unit: Path) -> None:
    started = re.findall(r"^Exec\w+=(.*)$", unit.read_text(), re.MULTILINE)

    assert all(one in {f"{PROGRAM} serve", f"{PROGRAM} doctor"} for one in started)

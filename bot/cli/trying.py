"""`interlock demo` and `interlock sandbox`: hand over to the pretend Slack.

The bot knows nothing of the sandbox, so these start it as a program of its own.
"""

import os
import sys
from pathlib import Path

import click

import workflows

# The sandbox imports nothing of the product, so it is told where the shipped workflows are.
SHIPPED = Path(workflows.__file__).parent / "definitions"
PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@click.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """Run the main job in a pretend Slack; `--play` plays it by itself."""
    home = os.environ.get("INTERLOCK_HOME") or ".interlock"
    chosen = ("--home", home) if "--home" not in arguments else ()
    _become("sandbox.demo", ("--shipped", str(SHIPPED), *chosen, *arguments))


@click.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox(arguments: tuple[str, ...]) -> None:
    """Run only the pretend Slack."""
    _become("sandbox", arguments)


def _become(module: str, arguments: tuple[str, ...]) -> None:
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - this very Python, with the person's own arguments.

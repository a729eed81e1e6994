"""`interlock audit head`: the signed head of the log, to be kept outside."""

import os

import click

from bot.beside import have_done
from bot.cli.output import answer, as_json_option
from bot.orders import HeadOrder
from bot.settings import read_settings


@click.group()
def audit() -> None:
    """Check and show the signed trail."""


@audit.command()
@as_json_option
def head(*, as_json: bool) -> None:
    """Print the newest signed head; whoever keeps it can tell later if the log was cut."""
    told = have_done(read_settings(), HeadOrder(), user=os.getuid())
    answer(dict(told), [str(told["note"]).rstrip(), "", f"vkey {told['vkey']}"], as_json=as_json)

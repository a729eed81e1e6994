"""`interlock model`: install what asks a language model, apart from the bot."""

import click

from bot.cli.output import answer, as_json_option
from bot.settings import read_settings
from workflows.model.installing import install_worker


@click.group()
def model() -> None:
    """Work with the program that asks a language model."""


@model.command()
@as_json_option
def install(*, as_json: bool) -> None:
    """Install litellm into a folder of its own in the home, by the hashes of the shipped lock."""
    folder = read_settings().model_folder
    version = install_worker(folder)
    told = f"litellm {version} is installed in {folder}; the bot itself never imports it."
    answer({"folder": str(folder), "litellm": version}, [told], as_json=as_json)

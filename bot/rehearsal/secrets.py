"""The secrets by which a dry run reads: from the sources that a bot here would ask."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from bot.cli.reading import opened
from bot.cli.ruling import has_log
from bot.core import Means
from bot.secret_sources.held import HeldSecrets
from bot.secret_sources.parts import every_source, given_sources
from bot.settings import Settings
from bot.vault import lazy_vault
from workflows.redaction import Redactor
from workflows.secret_book import SecretBook


@contextmanager
def secrets_of_reads(
    settings: Settings, means: Means, redact: Redactor, *, is_given_alone: bool
) -> Iterator[SecretBook]:
    """Give the secrets of this machine; their uses are not noted, since nothing is recorded.

    With `is_given_alone` they are those of the environment and the folder: what is kept in the
    database or elsewhere is lent under the policy that counts, and under no other.

    Raises:
        StorageError: what is kept in the database cannot be read.
    """
    given = given_sources(settings, means.environment)
    if is_given_alone or not has_log(settings):
        yield HeldSecrets(given, redact)
        return
    with opened(settings) as database:
        vault = lazy_vault(settings, database, now=means.clock)
        held = HeldSecrets(
            every_source(settings, given, database, vault, redact, now=means.clock), redact
        )
        for refusal in held.learn():  # Whatever a read gives back, no value may be printed.
            click.echo(f"A secret cannot be used: {refusal.message}", err=True)
        yield held

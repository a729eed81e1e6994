"""Which databases a host has: its register, and one for each workspace that was ever there."""

import os
from collections.abc import Mapping

from bot.settings import WORKSPACES, Settings, read_settings
from bot.workspaces.beside import ONE
from bot.workspaces.register import register_address
from storage.database import is_postgres, sqlite_path


def databases_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the address of every database that has begun, the register first."""
    register = register_address(settings)
    return [register, *(one for one in _of_workspaces(settings, environment) if _stands(one))]


def _of_workspaces(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    homes = sorted(one.name for one in (settings.home / WORKSPACES).glob("*") if one.is_dir())
    return [read_settings({**environment, ONE: one}).database_url for one in homes]


def _stands(address: str) -> bool:
    return is_postgres(address) or sqlite_path(address).exists()

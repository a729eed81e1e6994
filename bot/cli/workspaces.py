"""`interlock workspaces`: in which workspaces the app is installed, and what is wrong there."""

import click

from bot.cli.output import answer, as_json_option
from bot.settings import WORKSPACES, Settings, SettingsError, read_settings
from bot.workspaces.register import register_address
from storage.database import is_postgres, open_database, sqlite_path
from storage.installations import Listed, list_installations
from storage.migrate import is_empty
from workflows.moments import stamp


@click.command("workspaces")
@as_json_option
def workspaces(*, as_json: bool) -> None:
    """List the workspaces that installed the app."""
    settings = read_settings()
    if not settings.serves_many:
        raise SettingsError(
            "SLACK_CLIENT_ID is not set, so there is one workspace and no list.",
            hint="docs/operations says how to serve many.",
        )
    found = _found(settings)
    lines = [_line(one, settings) for one in found]
    data = {"workspaces": [_data(one, settings) for one in found]}
    answer(data, lines or ["The app is installed nowhere yet."], as_json=as_json)


def _found(settings: Settings) -> list[Listed]:
    address = register_address(settings)
    if not is_postgres(address) and not sqlite_path(address).exists():
        return []
    database = open_database(address)
    try:
        return [] if is_empty(database.engine) else list_installations(database)
    finally:
        database.close()


def _state(one: Listed, settings: Settings) -> str:
    if one.removed_at is not None:
        return "removed"
    if one.id not in settings.workspaces:
        return "not served"
    return "trouble" if one.trouble else "installed"


def _line(one: Listed, settings: Settings) -> str:
    state = _state(one, settings)
    told = {
        "removed": f"since {stamp(one.removed_at)}" if one.removed_at else "",
        "not served": "INTERLOCK_WORKSPACES does not name it",
        "trouble": one.trouble,
    }.get(state, f"since {stamp(one.installed_at)}, by {one.installed_by}")
    return f"{one.id:<14} {state:<11} {one.name}: {told}"


def _data(one: Listed, settings: Settings) -> dict[str, object]:
    return {
        "workspace": one.id,
        "name": one.name,
        "state": _state(one, settings),
        "trouble": one.trouble,
        "home": str(settings.home / WORKSPACES / one.id),
        "installed_by": one.installed_by,
        "installed_at": stamp(one.installed_at),
        "token_expires_at": stamp(one.expires_at) if one.expires_at else None,
        "removed_at": stamp(one.removed_at) if one.removed_at else None,
    }

"""What `interlock init` puts into a new home folder, to be changed by whoever runs the bot."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

SETTINGS_NAME, MANIFEST_NAME = "interlock.env", "slack-manifest.yml"
DATABASE, DATABASE_FILE = "INTERLOCK_DATABASE_URL", "INTERLOCK_DATABASE_URL_FILE"
FILL_IN = "PUT_ITS_PASSWORD_HERE"
IN_QUERY = re.compile(r"(?<=[?&]password=)[^&]*")

POLICY = """\
# Who must agree to what. A workflow file may ask for more than this, never for less.
# `interlock policy check` says what is wrong with this file.
defaults:
  expires: 24h          # A request that nobody answers ends then, and its step does not run.

roles:
  governors: ["@ops-governors"]

rules:
  - name: anything that cannot be undone
    when: effect == "destructive"
    stages:
      - {from: ["@ops-approvers"], approve: 1}

# Who agrees before a changed file counts: here the workflow's owner and a governor.
# publish: {}

# What actions may touch. Workflow files use only the names given here.
# services:
#   shop:
#     base_url: https://shop.example.com/api
#     secret_header: {name: Authorization, prefix: "Bearer ", secret: shop_token}
# Its value comes from the environment: INTERLOCK_SECRET_SHOP_TOKEN, or a file named by
# INTERLOCK_SECRET_SHOP_TOKEN_FILE.
"""


SETTINGS = """\
# The settings of the bot, as a shell, systemd (EnvironmentFile=) and Docker (env_file:) read
# them. docs/operations.md lists all of them. An empty one counts as not set.
INTERLOCK_HOME={home}
INTERLOCK_ORIGIN={origin}

# Where the log is; without one it is the file interlock.db in the home.
{place}

# The channel for the digest and for alarms; invite the bot to it.
INTERLOCK_CHANNEL={channel}

# From the app's page on api.slack.com: "OAuth & Permissions", and "Basic Information",
# "App-Level Tokens". Whoever reads this file can speak as the bot; keep it to yourself.
SLACK_BOT_TOKEN=
SLACK_APP_TOKEN=

# Where backups are written to, so that `interlock doctor` can say how old the newest is.
INTERLOCK_BACKUP_DIR=

# Who keeps heads of the log outside: docs/witnesses.md.
INTERLOCK_ANCHOR_MAIL=
INTERLOCK_SMTP=
INTERLOCK_SMTP_FROM=
"""


def settings_text(*, home: Path, origin: str, channel: str, environment: Mapping[str, str]) -> str:
    """Return the settings to start from, for a log that has begun where `environment` says."""
    quoted = shlex.quote(str(home.absolute()))  # As it is, where a shell takes it so.
    place = _place(environment)
    return SETTINGS.format(home=quoted, origin=origin, channel=channel, place=place)


def _place(environment: Mapping[str, str]) -> str:
    """Return the line that leads to the log again; a file that holds the address stays one."""
    address, file = (environment.get(name, "") for name in (DATABASE, DATABASE_FILE))
    if file and not address:
        return f"{DATABASE_FILE}={shlex.quote(str(Path(file).absolute()))}"
    return f"{DATABASE}={shlex.quote(_without_password(address)) if address else ''}"


def _without_password(address: str) -> str:
    """Return an address in which a password is left to fill in: a secret is not written down."""
    parts = urlsplit(address)
    if parts.password is not None:
        user, host = (parts.username or "", parts.netloc.rpartition("@")[2])
        address = parts._replace(netloc=f"{user}:{FILL_IN}@{host}").geturl()
    return IN_QUERY.sub(FILL_IN, address)

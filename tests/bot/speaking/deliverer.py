"""One process that delivers one message, for a test that kills it on the way.

python deliverer.py HOME DATABASE API_URL TOKEN
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.addresses import Addresses
from bot.delivery import Courier
from bot.outbox import Outbox, Post
from bot.pacing import Pacer
from bot.slack_client import SlackClient
from storage.database import open_database
from storage.log_setup import open_journal
from storage.store import SqlStore
from tests.bot.speaking.office import Ledger, Wordings, answers_of


def main(home: str, database: str, api_url: str, token: str) -> None:
    """Claim the next message and deliver it."""
    opened = open_database(database)
    store = SqlStore(opened, open_journal(opened, Path(home)))
    client = SlackClient(token, base_url=api_url, timeout=60)
    pacer = Pacer(time.monotonic)
    post = Post(
        rows=store.outbox,
        courier=Courier(client, pacer, Addresses(client, pacer)),
        renderer=Wordings(),
        consequences=Ledger(),
        answers=answers_of(store, client),
        name="doomed",
        now=lambda: datetime.now(UTC),
    )
    Outbox(post, threads=1).deliver_next(by="doomed")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""`python -m sandbox.demo --shipped DIR`: the demo, to try by hand or to watch (`--play`)."""

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path

from sandbox.demo.bot import Bot
from sandbox.demo.errors import DemoError
from sandbox.demo.library import furnished
from sandbox.demo.play import play
from sandbox.demo.stage import Stage, staged
from sandbox.demo.transcript import Transcript
from sandbox.errors import PortError, WaitTimeoutError

ABOUT = "Run the bot in a pretend Slack, to try by hand or to watch (--play)."
INVITATION = """
The demo runs. Open {url} and pick who you are.

  1. As rita, in #ops, type  /ops run refund-customer  (order ord_1001, up to what was paid).
  2. As ana, press the button on the card. Try it as rita or gil first: they may not.
  3. As petra, type  /ops run purge-stale-accounts  or  /ops run roll-back-release  (v1.5).
  4. The library, as petra:  /ops run rotate-credential  (shop-api)  or  change-dns, deploy-release,
     ramp-flag, decommission-hosts, migrate-database;  as omar pay-vendor (inv-502), erase-person;
     as rita grant-access, erase-customer (cus-107).
  5. Anybody: /ops runs · /ops approvals · /ops find refund · /ops help

Data stays in {home}. The bot's log is {log}. Ctrl-C ends the demo.
"""


def main() -> int:
    """Run the demo until Ctrl-C, or play it and return 0 only if everything was right."""
    asked = _arguments().parse_args()
    home = (asked.home or Path(tempfile.mkdtemp(prefix="interlock-demo-"))).resolve()
    home.mkdir(parents=True, exist_ok=True)
    try:
        with (
            staged(home, asked.shipped, port=asked.port) as stage,
            furnished(stage, asked.shipped),
        ):
            return _perform(stage, asked)
    except DemoError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except PortError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="interlock demo", description=ABOUT)
    # `interlock demo` fills this in, so whoever asks for help need not see it.
    parser.add_argument("--shipped", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help="where the data stays")
    parser.add_argument("--port", type=int, default=0, help="of the page; 0 chooses a free one")
    parser.add_argument("--play", action="store_true", help="play the journey, then stop")
    how = "how the bot hears of Slack: Socket Mode, the default, or signed HTTP"
    parser.add_argument("--transport", choices=("socket", "http"), default="socket", help=how)
    parser.add_argument("--database", default="", help="an address; a SQLite file by default")
    return parser


def _perform(stage: Stage, asked: argparse.Namespace) -> int:
    bot = Bot(stage, transport=asked.transport, database=asked.database)
    bot.prepare()
    bot.start()
    try:
        if asked.play:
            return _play(stage, bot)
        _wait(stage, bot)
    finally:
        bot.stop()
    return 0


def _play(stage: Stage, bot: Bot) -> int:
    transcript = Transcript()
    transcript.tell("", f"The page is at {stage.slack.url}. Data stays in {stage.home}.")
    try:
        play(stage, bot, transcript)
    except WaitTimeoutError as error:
        raise DemoError(f"In vain the play {error}. {bot.last_words()}") from error
    transcript.chapter(f"All of it was right: {transcript.checked} checks")
    return 0


def _wait(stage: Stage, bot: Bot) -> None:
    sys.stdout.write(INVITATION.format(url=stage.slack.url, home=stage.home, log=bot.log))
    sys.stdout.flush()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.wait(1):
        if not bot.is_alive:
            raise DemoError(f"The bot has ended. {bot.last_words()}")


if __name__ == "__main__":
    sys.exit(main())

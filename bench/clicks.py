"""How long a click takes in the real bot: `interlock serve` against the sandbox, Socket Mode.

The bot is a process of its own with its own SQLite file, started as in production. Measured
from the moment the click's frame is handed to the socket: until the bot acknowledges it, and
until the approved step begins, which is when its request arrives at a small server here.
Beside it: what the bot costs while nothing happens, and how soon `interlock --help` answers.
Disk, Slack and the step's target all live on this machine, and share its cores with the bot.

    python -m bench.clicks [--json] [--clicks 20] [--bursts 2]
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.figures import percentiles
from bench.process import cpu_percent, resident_mb
from sandbox.delivery.envelope import Delivery
from sandbox.demo.bot import Bot
from sandbox.demo.stage import Stage, staged
from sandbox.seen import SeenMessage

SHIPPED = Path(__file__).parents[1] / "workflows" / "definitions"
APPROVERS = ("ana", "ben")
AT_ONCE = 20
PATIENCE = 180.0  # The bot posts once a second in a channel, as Slack wants it.
IDLE_SECONDS = 10.0
GOALS = {
    "ack_single_p50_ms": "",
    "ack_single_p99_ms": "",
    "click_to_step_p50_ms": "≤ 10 ms",
    "click_to_step_p99_ms": "≤ 60 ms",
    "ack_burst_p50_ms": "",
    "ack_burst_p99_ms": "≤ 250 ms",
    "help_ms": "≤ 200 ms",
    "idle_rss_mb": "≤ 90 MB",
    "idle_cpu_percent": "",
    "rss_after_mb": "",
}

POLICY = """
defaults: {{expires: 24h}}
rules:
  - name: marks
    when: effect == "destructive"
    stages: [{{from: ["@finance-leads"], approve: 1}}]
services:
  marks:
    base_url: {url}
    private: true
    paths: ["/marks/[0-9]+"]
    honours_idempotency_key: true
"""

WORKFLOW = """
workflow: make-a-mark
title: Make a mark
owner: "@finance-ops"
deputy: "@support-leads"
run_by: ["@support"]
inputs:
  number: {type: integer, title: Number, minimum: 1, maximum: 100000}
steps:
  - id: mark
    title: Make the mark
    uses: http.request
    with: {service: marks, method: POST, path: "/marks/${{ inputs.number }}"}
    effect: destructive
    timeout: 1m
    verify:
      uses: http.request
      with: {service: marks, method: GET, path: "/marks/${{ inputs.number }}"}
      returns: {body: {made: boolean}}
      expect: result.body.made
      within: 1m
    undo: none
"""


class Marks:
    """The target of the steps: notes when each was asked for."""

    def __init__(self) -> None:
        self.arrived: dict[int, float] = {}
        self.changed = threading.Condition()

    def made(self, number: int) -> None:
        """Note that the step of that number has begun."""
        with self.changed:
            self.arrived.setdefault(number, time.monotonic())
            self.changed.notify_all()

    def wait(self, number: int) -> float:
        """Return when the step of that number began."""
        with self.changed:
            self.changed.wait_for(lambda: number in self.arrived, timeout=PATIENCE)
            return self.arrived[number]


@contextmanager
def serving(marks: Marks) -> Iterator[str]:
    """Serve `marks` over HTTP; give its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            marks.made(self._number())
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _number(self) -> int:
            return int(self.path.rpartition("/")[2])

        def _answer(self) -> None:
            body = json.dumps({"made": self._number() in marks.arrived}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a line of log would cost more than the answer."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def furnish(stage: Stage, url: str) -> None:
    """Give the bot one workflow, whose step asks the server at `url`, and a policy for it."""
    stage.policy.write_text(POLICY.format(url=url))
    for file in stage.workflows.glob("*.yaml"):
        file.unlink()
    (stage.workflows / "make-a-mark.yaml").write_text(WORKFLOW)


class Clicking:
    """People of the sandbox who start runs and approve them."""

    def __init__(self, stage: Stage, marks: Marks) -> None:
        self._slack = stage.slack.workspace
        self.marks = marks
        self._number = 0

    def asked(self, count: int) -> list[tuple[int, SeenMessage]]:
        """Start runs and return their numbers and cards, once all of them stand in Slack."""
        known = {one.ts for one in self._cards()}
        first = self._number + 1
        for _ in range(count):
            self._start()

        def enough() -> list[SeenMessage] | None:
            new = [one for one in self._cards() if one.ts not in known]
            return new if len(new) == count else None

        cards = self._slack.wait_for(enough, timeout=PATIENCE, what=f"{count} cards")
        numbers = range(first, first + count)
        return [(_named(card, numbers), card) for card in cards]

    def click(self, card: SeenMessage, who: str, *, wait: bool) -> Delivery:
        """Press the approve button of a card."""
        label = next(one for one in card.buttons if one not in ("Reject", "Review"))
        return self._slack.person(who).click(label, message=card, wait=wait)

    def singles(self, count: int) -> tuple[list[float], list[float]]:
        """Return milliseconds to the ack and to the step, one click after the other."""
        acks, begins = [], []
        for number, card in self.asked(count):
            time.sleep(1)  # The step, the messages and the summary of the one before are done.
            delivery = self.click(card, APPROVERS[0], wait=True)
            acks.append(_ack(delivery))
            begins.append((self.marks.wait(number) - delivery.begun) * 1000)
        return acks, begins

    def burst(self) -> list[float]:
        """Return milliseconds to each ack of clicks at one moment, each on a run of its own."""
        cards = self.asked(AT_ONCE)
        time.sleep(1)
        sent = [
            self.click(card, APPROVERS[place % 2], wait=False)
            for place, (_, card) in enumerate(cards)
        ]
        for number, _ in cards:
            self.marks.wait(number)
        return [_ack(one) for one in sent]

    def _start(self) -> None:
        self._number += 1
        rita = self._slack.person("rita")
        rita.command("/ops run make-a-mark", channel="#ops")
        rita.wait_for_view("")
        rita.submit({"Number": str(self._number)})

    def _cards(self) -> list[SeenMessage]:
        roots = self._slack.messages("#ops")
        threads = [self._slack.messages("#ops", thread=one) for one in roots]
        return [one for thread in threads for one in thread if "Reject" in one.buttons]


def _named(card: SeenMessage, numbers: Sequence[int]) -> int:
    """Return which of the runs a card is for; its plan names the path."""
    return next(one for one in numbers if re.search(rf"/marks/{one}\b", card.words))


def _ack(delivery: Delivery) -> float:
    if not delivery.acked or delivery.ack_seconds is None:
        raise RuntimeError(f"a click was not acknowledged: {delivery.outcome}")
    return delivery.ack_seconds * 1000


def help_ms() -> float:
    """Return how long `interlock --help` takes, the median of seven."""
    program = str(Path(sys.executable).with_name("interlock"))
    return statistics.median(_timed([program, "--help"]) for _ in range(7))


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000


def measure(clicks: int, bursts: int) -> dict[str, float]:
    """Return every figure of one serving bot."""
    marks = Marks()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(marks) as url,
        staged(Path(folder), SHIPPED, port=0) as stage,
    ):
        furnish(stage, url)
        bot = Bot(stage)
        bot.prepare()
        bot.start()
        try:
            return _measured(bot, Clicking(stage, marks), clicks, bursts)
        finally:
            bot.stop()


def _measured(bot: Bot, clicking: Clicking, clicks: int, bursts: int) -> dict[str, float]:
    time.sleep(2)
    process = bot.pid
    idle = {
        "idle_rss_mb": resident_mb(process),
        "idle_cpu_percent": cpu_percent(process, IDLE_SECONDS),
    }
    acks, begins = clicking.singles(clicks)
    at_once = [ack for _ in range(bursts) for ack in clicking.burst()]
    return {
        **percentiles("ack_single", acks),
        **percentiles("click_to_step", begins),
        **percentiles("ack_burst", at_once),
        "help_ms": help_ms(),
        **idle,
        "rss_after_mb": resident_mb(process),
    }


def main() -> None:
    """Measure, print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    parser.add_argument("--clicks", type=int, default=20, help="single clicks")
    parser.add_argument("--bursts", type=int, default=2, help=f"times {AT_ONCE} clicks at once")
    asked = parser.parse_args()
    figures = {name: round(one, 1) for name, one in measure(asked.clicks, asked.bursts).items()}
    if not asked.json:
        for name, value in figures.items():
            print(f"{name:<24}{value:>10.1f}   {GOALS[name]}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

"""The whole journey without a person: played through the pretend Slack, checked at the targets.

Whatever the bot says is not believed: money is counted in the shop's own log, rows in the
database, the release in git, and the trail by the verifier.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from sandbox.demo.bot import Bot
from sandbox.demo.errors import DemoError, HeldError
from sandbox.demo.stage import Stage
from sandbox.demo.transcript import Transcript
from sandbox.errors import WaitTimeoutError
from sandbox.person import Person
from sandbox.seen import SeenMessage
from sandbox.targets import accounts, releases

PATIENCE = 60.0
# A refund that had begun and cannot be seen may still be on its way for so long: its timeout of
# a minute, and half a minute more.
DOUBT = 90.0
OPS = "#ops"
BEHIND = re.compile(r"waits for (run \S+ of |another run that is in front)")
MOST_HELD = 10


class Play:
    """One performance: the stage, the bot and what has been told so far."""

    def __init__(self, stage: Stage, bot: Bot, transcript: Transcript) -> None:
        self.stage = stage
        self.bot = bot
        self.slack = stage.slack.workspace
        self.told = transcript

    def person(self, name: str) -> Person:
        """Return somebody of the workspace."""
        return self.slack.person(name)

    def runs(self, who: str, workflow: str, fields: dict[str, str]) -> SeenMessage:
        """Have `who` type the command and fill the form; return the first message of the run."""
        person = self.person(who)
        before = self.slack.messages(OPS)
        typed = f"/ops run {workflow}"
        self.told.tell(who, f"types {typed}")
        person.command(typed, channel=OPS)
        view = person.wait_for_view("")
        filled = ", ".join(f"{label}: {value}" for label, value in fields.items())
        self.told.tell(who, f"fills the form “{view.title}”: {filled}")
        person.submit(dict(fields))
        return self._root(after=before)

    def _root(self, *, after: list[SeenMessage]) -> SeenMessage:
        known = {one.ts for one in after}

        def new() -> SeenMessage | None:
            here = self.slack.messages(OPS)
            return next(
                (one for one in here if one.ts not in known and one.thread_ts in (None, one.ts)),
                None,
            )

        return self._wait(new, "the run's first message")

    def card(self, root: SeenMessage) -> SeenMessage:
        """Return the newest approval card in the run's thread, once it is there.

        Raises:
            HeldError: the run waits for another one, which somebody left open.
        """

        def found() -> SeenMessage | None:
            self._refuse_held(root)
            here = self.slack.messages(OPS, thread=root)
            return next((one for one in reversed(here) if "Reject" in one.buttons), None)

        card = self._wait(found, "an approval card")
        self.told.tell("the card", card.words)
        return card

    def ends(self, root: SeenMessage, how: str, *, patience: float = PATIENCE) -> SeenMessage:
        """Return the run's first message once it says that the run ended so.

        Raises:
            HeldError: the run waits for another one, which somebody left open.
        """

        def ended() -> SeenMessage | None:
            now = self._refuse_held(root)
            return now if now is not None and re.search(how, now.words, re.IGNORECASE) else None

        return self._wait(ended, f"the end of the run ({how})", patience=patience)

    def thread(self, root: SeenMessage) -> None:
        """Print the run's thread."""
        for one in self.slack.messages(OPS, thread=root):
            self.told.tell("thread", one.words)

    def approves(self, who: str, card: SeenMessage) -> None:
        """Have `who` press the approve button of a card."""
        label = next(one for one in card.buttons if one not in ("Reject", "Review"))
        self.told.tell(who, f"presses “{label}”")
        self.person(who).click(label, message=card)

    def cancels(self, who: str, root: SeenMessage) -> None:
        """Have `who` cancel a run, and see it end."""
        named = re.findall(r"\b[0-9a-f]{32}\b", root.words)
        if not named:
            raise DemoError(f"The run's first message does not name it: {root.words}")
        # Its own name stands at the end; before it may stand that of the run in front.
        self.person(who).command(f"/ops cancel {named[-1]} behind another run", channel=OPS)
        self._wait(
            lambda: (
                now if (now := self.slack.now(root)) and "cancelled" in now.words.lower() else None
            ),
            "the end of a cancelled run",
        )

    def refused(self, who: str, card: SeenMessage, words: str) -> None:
        """Have somebody press the button who may not, and see that they are told why."""
        before = len(self.person(who).ephemerals)
        self.approves(who, card)
        told = self._wait(
            lambda: next(iter(self.person(who).ephemerals[before:]), None), f"an answer for {who}"
        )
        self.told.tell("only " + who, told.words)
        self.told.check(f"{who} is told why not", words in told.words, seen=told.words)

    def _refuse_held(self, root: SeenMessage) -> SeenMessage | None:
        """Return a run's first message as it is now, unless the run stands behind another."""
        now = self.slack.now(root)
        if now is not None and BEHIND.search(now.words):
            raise HeldError(
                "Somebody left a run open that holds the lock of this one. Start the demo without"
                " --play and decide it there, or give this one another home with --home."
            )
        return now

    def _wait(
        self, look: Callable[[], "SeenMessage | None"], what: str, *, patience: float = PATIENCE
    ) -> SeenMessage:
        try:
            return self.slack.wait_for(look, timeout=patience, what=what)
        except WaitTimeoutError as error:
            raise DemoError(f"Waited in vain for {what}. {self.bot.last_words()}") from error


def play(stage: Stage, bot: Bot, transcript: Transcript) -> None:
    """Play every part in turn.

    Raises:
        DemoError: something was not as it must be; it says what was seen.
    """
    performance = Play(stage, bot, transcript)
    refund(performance)
    purge(performance)
    roll_back(performance)
    power_cut(performance)
    check_nightly(performance)
    remember(performance)
    verify(performance)


def refund(play: Play) -> None:
    """Money goes back once, after somebody from finance agreed."""
    play.told.chapter("A customer is refunded")
    amount = 500
    order, root, card = _asked_refund(play, amount)
    play.refused("rita", card, "someone else")
    play.refused("gil", card, "guest")
    play.told.check("no money has moved yet", not play.stage.shop.effects(order))
    play.approves("ana", card)
    play.ends(root, r"\bdone\b")
    play.thread(root)
    moved = play.stage.shop.effects(order)
    play.told.check(
        f"the shop refunded {order} exactly once",
        [one.amount for one in moved] == [amount],
        seen=moved,
    )
    settled = play.slack.now(card)
    play.told.check(
        "the card has no buttons left", settled is not None and "Reject" not in settled.buttons
    )


def _asked_refund(play: Play, amount: int) -> tuple[str, SeenMessage, SeenMessage]:
    """Ask for a refund; return its order, the run's first message and its card.

    An order whose refund somebody left open is passed over, and the run behind it cancelled.
    """
    for order in _orders(play):
        root = play.runs("rita", "refund-customer", _refund_form(order, amount))
        try:
            return order, root, play.card(root)
        except HeldError:
            play.told.tell("", f"somebody left a refund of {order} open; another order is taken")
            play.cancels("rita", root)
    raise DemoError("Too many refunds were left open here; give the demo another home with --home.")


def _orders(play: Play) -> Iterator[str]:
    """Yield orders that nothing was refunded of yet."""
    touched = {one.order for one in play.stage.shop.effects()}
    free = (name for number in range(1001, 2000) if (name := f"ord_{number}") not in touched)
    yield from islice(free, MOST_HELD)


def _refund_form(order: str, amount: int) -> dict[str, str]:
    return {"Order": order, "Amount in cents": str(amount), "Reason": "Arrived broken"}


def purge(play: Play) -> None:
    """Accounts nobody uses are deleted: exactly those that were shown."""
    play.told.chapter("Stale accounts are deleted")
    before = accounts.count(play.stage.accounts)
    gone = len(accounts.effects(play.stage.accounts))
    root = play.runs("petra", "purge-stale-accounts", {"Days without a visit": "730"})
    if gone:
        play.ends(root, r"\bdone\b")
        play.told.tell("", "an earlier performance has deleted them already")
        return
    card = play.card(root)
    play.told.check("no row is gone yet", accounts.count(play.stage.accounts) == before)
    play.approves("omar", card)
    play.ends(root, r"\bdone\b")
    play.thread(root)
    deleted = len(accounts.effects(play.stage.accounts)) - gone
    left = accounts.count(play.stage.accounts)
    play.told.check(f"{deleted} rows are really gone", 0 < deleted == before - left, seen=left)
    play.told.check("the card named that number", str(deleted) in card.words, seen=card.words)


def roll_back(play: Play) -> None:
    """Production goes back to an earlier release, after a rejected try."""
    play.told.chapter("Production goes back to an earlier release")
    now = releases.deployed(play.stage.releases)
    if now == releases.RELEASES[0]:
        play.told.tell("", f"{now} is the oldest release; earlier performances went back to it")
        return
    wanted = releases.RELEASES[releases.RELEASES.index(now) - 1]
    form = {"Release to go back to": wanted}
    root = play.runs("petra", "roll-back-release", form)
    card = play.card(root)
    ivan = play.person("ivan")
    play.told.tell("ivan", "presses “Reject” and says why")
    ivan.click("Reject", message=card)
    ivan.wait_for_view("")
    ivan.submit({"reason": "Not during the sale."})
    play.ends(root, r"\b(denied|rejected)\b")
    play.told.check("nothing moved", releases.deployed(play.stage.releases) == now)
    root = play.runs("petra", "roll-back-release", form)
    play.approves("ivan", play.card(root))
    play.ends(root, r"\bdone\b")
    play.thread(root)
    play.told.check(
        f"production runs {wanted} again",
        releases.deployed(play.stage.releases) == wanted,
        seen=releases.deployed(play.stage.releases),
    )


def power_cut(play: Play) -> None:
    """The bot is killed right after the click; money still moves exactly once."""
    play.told.chapter("The bot is killed in the middle of a refund")
    amount = 700
    order, root, card = _asked_refund(play, amount)
    play.approves("ben", card)
    play.bot.kill()
    play.told.tell("", "kill -9; the bot starts again")
    play.bot.start()
    play.ends(root, r"\bdone\b", patience=PATIENCE + DOUBT)
    moved = play.stage.shop.effects(order)
    play.told.check(
        f"the shop refunded {order} exactly once",
        [one.amount for one in moved] == [amount],
        seen=moved,
    )


def check_nightly(play: Play) -> None:
    """The nightly check reads, changes nothing, and says one line in the channel."""
    play.told.chapter("The nightly check, run by hand")
    root = play.runs("petra", "nightly-check", {})
    play.ends(root, r"\bdone\b")
    play.thread(root)
    said = [one.words for one in play.slack.messages(OPS, thread=root)]
    play.told.check(
        "it told what it saw",
        any("Nightly check: the shop answers" in one for one in said),
        seen=said,
    )


def remember(play: Play) -> None:
    """What happened is found again by its words, and told in the weekly digest."""
    play.told.chapter("The story is found again, and the week is told")
    rita = play.person("rita")

    def found() -> SeenMessage | None:
        before = len(rita.ephemerals)
        rita.command("/ops find refund broken", channel=OPS)
        answer = (
            rita.wait_for_ephemeral("") if len(rita.ephemerals) == before else rita.ephemerals[-1]
        )
        return answer if "Refund a customer" in answer.words else None

    answer = play.slack.wait_for(found, timeout=PATIENCE, what="a summary that is found")
    play.told.tell("only rita", answer.words)
    play.told.check("the summary is found by its words", "Refund" in answer.words)
    code, hits = play.bot.ask("find", "refund")
    play.told.check("interlock find finds it too", code == 0 and bool(hits), seen=hits)
    known = {one.ts for one in play.slack.messages(OPS)}
    done = play.bot.run("digest", "--post")
    play.told.check("interlock digest --post is accepted", done.returncode == 0, seen=done.stderr)

    def digest() -> SeenMessage | None:
        here = play.slack.messages(OPS)
        return next((one for one in here if one.ts not in known), None)

    posted = play.slack.wait_for(digest, timeout=PATIENCE, what="the digest")
    play.told.tell("the digest", posted.words)
    play.told.check("the digest counts runs", "run" in posted.words, seen=posted.words)


def verify(play: Play) -> None:
    """The trail verifies with the public key alone, and a changed byte would show."""
    play.told.chapter("The trail is verified")
    code, head = play.bot.ask("audit", "head")
    play.told.check("interlock audit head answers", code == 0 and "vkey" in head, seen=head)
    play.told.tell("head", f"{head['size']} entries, root {head['root']}")
    note = play.stage.home / "head.note"
    note.write_text(head["note"])
    words = ("audit", "verify", "--db", str(play.stage.home / "interlock.db"))
    code, report = play.bot.ask(*words, "--vkey", head["vkey"], "--checkpoint", str(note))
    play.told.check("the log verifies", code == 0 and report["ok"] is True, seen=report)
    for moved in play.stage.shop.effects():
        run = moved.key.partition("/")[0]
        code, story = play.bot.ask("show", run)
        kinds = [one["kind"] for one in story["entries"]] if code == 0 else [story]
        is_told = kinds.count("approval.granted") == 1 and kinds.count("action.executed") == 1
        play.told.check(
            f"the trail has the refund of {moved.order} and who approved it", is_told, seen=kinds
        )

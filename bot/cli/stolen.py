"""What `interlock keys stolen` says: what to do, in order, when somebody else may have a key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.anchor_words import by
from bot.cli.reading import opened
from bot.settings import Settings
from bot.wording import plural, utc
from storage.anchors import Anchor, read_anchors
from storage.enrolment import KnownKey, read_keys
from storage.keys import private_halves
from workflows.errors import SigningKeyError

MOST_HEADS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The same as data and as lines."""

    data: Mapping[str, object]
    lines: Sequence[str]


def advice_about(settings: Settings, wanted: str | None) -> Advice:
    """Return what to do about the key `wanted`, or about every key of this home.

    Raises:
        SigningKeyError: the log knows no such key, or this home has none that counts.
        UnusableDatabaseError: there is no log.
    """
    with opened(settings) as database, database.read() as connection:
        keys = read_keys(connection)
        anchors = read_anchors(connection, most=MOST_HEADS)
    here = private_halves(settings.home)
    chosen = [wanted] if wanted else [one for one in here if one in keys.known]
    found = [keys.known[one] for one in chosen if one in keys.known]
    if not found:
        raise SigningKeyError(
            f"The log knows no key {wanted}." if wanted else "This home has no key of the log.",
            hint="`interlock keys list` shows them all; name one.",
        )
    in_force = [one for one in found if one.ended_at is None or wanted]
    every = [step for one in in_force for step in _steps(one, is_here=one.id in here)]
    steps = [*dict.fromkeys(every), *_afterwards(in_force)]  # One new key takes the place of all.
    data = {
        "keys": [{"id": one.id, "role": one.role, "state": one.state} for one in in_force],
        "heads": [{"size": one.size, "type": one.type} for one in anchors],
        "steps": steps,
    }
    return Advice(data=data, lines=[*_doubtful(anchors), *_numbered(steps)])


def _doubtful(anchors: Sequence[Anchor]) -> Iterator[str]:
    yield "Find N, the first entry that you do not trust. What was outside before the theft is"
    yield "safe: under a head of 412 entries, N is 412. With no such head, N is 0."
    for one in anchors:
        size = plural(one.size, "entry", "entries")
        yield f"  {utc(one.at)}  {size}, kept by {by(one.type)}"
    if not anchors:
        yield "  The log knows of no head outside; ask the auditor, and look into old digests."
    yield ""


def _steps(key: KnownKey, *, is_here: bool) -> Iterator[str]:
    if key.role == "log":
        yield (
            "`interlock keys rotate --log`; copy keys/log.pem to every other machine of this log"
            " and start the bot there again."
            if is_here
            else "If the key lies in KMS, disable it there and make another one; set"
            " INTERLOCK_KMS_KEY and run `interlock keys second`."
        )
        yield (
            f"`interlock keys revoke {key.id} --from N`: heads above N that it alone signed are"
            " unproven from then on."
        )
        return
    yield (
        "`interlock keys rotate` on this machine; if it is lost, the next step alone, from another."
        if is_here
        else "`interlock keys rotate` on its machine; if that is lost, go on."
    )
    yield (
        f"`interlock keys revoke {key.id} --from N`: what it signed from entry N on is unproven"
        " from then on."
    )


def _afterwards(keys: Sequence[KnownKey]) -> Iterator[str]:
    yield (
        "`interlock audit verify --vkey KEY --checkpoint HEAD` with every head from outside. If it"
        " says root-mismatch or truncated, the log was rewritten: stop the bot, keep the database"
        " as it is, and begin a successor log."
    )
    if any(one.role == "log" for one in keys):
        yield (
            "Hand the new head and its vkey (`interlock audit head`) to everybody who holds the old"
            " vkey. They give the head with --checkpoint and both keys with --vkey: the new key"
            " alone vouches for no head from before. Without that head a verifier that knows the"
            " stolen key cannot tell its heads from the thief's."
        )
    yield "Tell the auditor N, when the key may have been taken, and which heads you compared."
    yield "Close the way by which it was taken, before the next key goes the same way."


def _numbered(steps: Sequence[str]) -> Iterator[str]:
    for number, one in enumerate(steps, start=1):
        yield f"{number}. {one}"

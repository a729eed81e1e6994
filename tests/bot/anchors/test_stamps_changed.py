"""Answers of an authority with one value changed: all verifiers read them alike, or refuse them."""

import hashlib
import warnings
from collections.abc import Iterator

import pytest

from bot.anchors.timestamp import Authority
from storage.der import OCTETS, SEQUENCE, MalformedDerError, values, written
from storage.evidence.shipped.verify import Stamp, der
from storage.timestamps import read_stamp
from tests.bot.anchors.answering import Asked, Said, answering
from tests.bot.anchors.conftest import Ledger
from tests.bot.anchors.pretend_authority import PretendAuthority

CONSTRUCTED = 0x20
SERIAL = (0, 1, 1, 0, 2, 1, 0, 0, 3)  # Where the number of a token stands in an answer.

Node = tuple[int, "bytes | list[Node]"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PretendAuthority:
    made = PretendAuthority(tmp_path_factory.mktemp("authority"))
    made.begin()
    return made


def tree(data: bytes) -> list[Node]:
    """Return the values of an answer, and what is inside of each."""
    return [(one.tag, _held(one.tag, one.content)) for one in values(data)]


def _held(tag: int, content: bytes) -> bytes | list[Node]:
    may_hold = tag & CONSTRUCTED or (tag == OCTETS and content[:1] == bytes([SEQUENCE]))
    try:
        return tree(content) if may_hold else content
    except MalformedDerError:
        return content


def flat(nodes: list[Node]) -> bytes:
    return b"".join(
        written(tag, flat(held) if isinstance(held, list) else held) for tag, held in nodes
    )


def paths(nodes: list[Node], base: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    for place, (_tag, held) in enumerate(nodes):
        yield (*base, place)
        if isinstance(held, list):
            yield from paths(held, (*base, place))


def changed(nodes: list[Node], path: tuple[int, ...], *instead: Node) -> list[Node]:
    """Return the values with others in the place of one."""
    first, *more = path
    if not more:
        return [*nodes[:first], *instead, *nodes[first + 1 :]]
    tag, held = nodes[first]
    assert isinstance(held, list)
    return [*nodes[:first], (tag, changed(held, tuple(more), *instead)), *nodes[first + 1 :]]


def at(nodes: list[Node], path: tuple[int, ...]) -> Node:
    node = nodes[path[0]]
    return node if len(path) == 1 else at(list(node[1]), path[1:])  # type: ignore[arg-type]


def every_change(answer: bytes) -> Iterator[tuple[str, bytes]]:
    whole = tree(answer)
    assert flat(whole) == answer
    for path in paths(whole):
        tag, held = at(whole, path)
        yield f"{path} left out", flat(changed(whole, path))
        yield f"{path} twice", flat(changed(whole, path, (tag, held), (tag, held)))
        yield f"{path} of another kind", flat(changed(whole, path, (tag ^ 1, held)))
        yield f"{path} empty", flat(changed(whole, path, (tag, b"")))
        if isinstance(held, bytes) and held:
            last = held[:-1] + bytes([held[-1] ^ 1])
            yield f"{path} another", flat(changed(whole, path, (tag, last)))


def by_command(answer: bytes, note: str) -> bool:
    try:
        return read_stamp(answer).covers(note)
    except MalformedDerError:
        return False


def by_script(answer: bytes, note: str) -> bool:
    try:
        return Stamp(answer).digest == hashlib.sha256(note.encode()).digest()
    except ValueError:
        return False


def test_both_verifiers_read_alike_whatever_is_changed_of_an_answer(
    ledger: Ledger, authority: PretendAuthority
) -> None:
    with answering(authority) as url:
        ledger.outsiders.append(Authority(url=url))
        ledger.look()
    note, answer = ledger.kept_note(1), ledger.evidence("rfc3161")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of certificates with odd names.
        read = {
            name: (by_command(one, note), by_script(one, note))
            for name, one in every_change(answer)
        }

    assert by_command(answer, note)
    assert len(read) > 100
    assert [name for name, (ours, theirs) in read.items() if ours != theirs] == []


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 255, 256, 65_535, 65_536])
def test_both_verifiers_read_values_of_every_length(size: int) -> None:
    whole = written(OCTETS, bytes(size))

    (found,) = der(written(SEQUENCE, whole), SEQUENCE)

    assert (found.tag, found.inside, found.whole) == (OCTETS, bytes(size), whole)
    assert [one.content for one in values(whole)] == [bytes(size)]


@pytest.mark.parametrize("length", [b"\x80", b"\x85\0\0\0\0\1", b"\xff"])
def test_both_verifiers_refuse_lengths_that_are_none(length: bytes) -> None:
    data = bytes([OCTETS]) + length + bytes(200)

    with pytest.raises(MalformedDerError):
        values(data)
    with pytest.raises((IndexError, ValueError)):
        der(data)


def test_a_number_that_no_entry_can_hold_keeps_nobody_else_waiting(
    ledger: Ledger, authority: PretendAuthority
) -> None:
    def liar(asked: Asked) -> Said:
        said = authority(asked)
        return said._replace(body=flat(changed(tree(said.body), SERIAL, (2, b"\x7f" * 20_000))))

    with answering(liar) as url, answering(authority) as other:
        ledger.outsiders += [Authority(url=url), Authority(url=other, name="other")]
        ledger.look()

    assert "longer than any" in ledger.turns()["rfc3161"].error
    assert ledger.turns()["other"].failures == 0
    assert [one.data["type"] for one in ledger.anchors()] == ["other"]

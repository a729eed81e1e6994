"""Zips that nobody would write: each is a good pack, packed in a way over which readers differ."""

import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.storage.forged_packs import files_of, history, pack_of
from tests.storage.hostile_packs import seeded

UTF8, ENCRYPTED, PATCHED = 0x0800, 0x0001, 0x0020
FULL = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file as it is packed, and what the list says of it, which need not be the same."""

    name: bytes
    content: bytes
    method: int = 8
    flags: int = 0
    own_name: bytes | None = None
    packed: bytes | None = None
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    at: int | None = None
    extra: bytes = b""
    made_by: int = 20
    attributes: int = 0
    is_listed: bool = True

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.content
        deflate = zlib.compressobj(wbits=-15)
        return deflate.compress(self.content) + deflate.flush()

    def numbers(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.content) if self.crc is None else self.crc
        packed = len(self.body()) if self.packed_size is None else self.packed_size
        return crc, packed, len(self.content) if self.size is None else self.size

    def own(self) -> bytes:
        name = self.name if self.own_name is None else self.own_name
        head = (b"PK\3\4", 20, self.flags, self.method, 0, 33, *self.numbers(), len(name), 0)
        return struct.pack("<4s5H3L2H", *head) + name + self.body()

    def listed(self, at: int) -> bytes:
        numbers, lengths = self.numbers(), (len(self.name), len(self.extra), 0)
        at = at if self.at is None else self.at
        head = (b"PK\1\2", 20, self.made_by, self.flags, self.method, 0, 33, *numbers, *lengths)
        return struct.pack("<4s6H3L5H2L", *head, 0, 0, self.attributes, at) + self.name + self.extra


@dataclass(frozen=True, kw_only=True)
class Odd:
    """How the whole zip is odd."""

    before: bytes = b""
    between: bytes = b""
    behind: bytes = b""
    comment: bytes = b""
    count: int = 0  # More than there are.
    shifted: int = 0  # Of the list's place, as the end has it.
    shown: bool = True  # Whether the places count what stands before.
    large: Callable[[bytes, int, int], bytes] = field(default=lambda _list, _at, _count: b"")


def zip_of(members: Iterable[Member], odd: Odd = Odd()) -> bytes:
    """Return the zip of these members."""
    out, listed, count = odd.before, b"", 0
    for one in members:
        if one.is_listed:
            listed += one.listed(len(out) - (0 if odd.shown else len(odd.before)))
            count += 1
        out += one.own()
    out += odd.between
    at = len(out) - (0 if odd.shown else len(odd.before)) + odd.shifted
    out += listed + odd.large(listed, len(out), count)
    end = (b"PK\5\6", 0, 0, count, count + odd.count, len(listed), at, len(odd.comment))
    return out + struct.pack("<4s4H2LH", *end) + odd.comment + odd.behind


Change = Callable[[Member], Member]
Forge = Callable[[Path], bytes]
HOSTILE_ZIPS: dict[str, tuple[Forge, int]] = {}


def members_of(folder: Path) -> list[Member]:
    """Return the files of a pack of the usual history."""
    return packed(pack_of(files_of(history()), folder / "good"))


def packed(pack: Path) -> list[Member]:
    """Return the files of a pack in a folder."""
    return [
        Member(name=one.relative_to(pack).as_posix().encode(), content=one.read_bytes())
        for one in sorted(pack.rglob("*"))
        if one.is_file()
    ]


def with_odd(odd: Odd) -> Forge:
    return lambda folder: zip_of(members_of(folder), odd)


def with_member(name: str, change: Change) -> Forge:
    def forge(folder: Path) -> bytes:
        found = members_of(folder)
        assert any(one.name == name.encode() for one in found)
        return zip_of(change(one) if one.name == name.encode() else one for one in found)

    return forge


def without_member(name: str) -> Forge:
    return lambda folder: zip_of(one for one in members_of(folder) if one.name != name.encode())


def with_bytes(old: bytes, new: bytes) -> Forge:
    """Return what makes a zip of which the last of these bytes are others."""

    def forge(folder: Path) -> bytes:
        before, found, after = zip_of(members_of(folder)).rpartition(old)
        assert found
        return before + new + after

    return forge


def and_member(*more: Member, first: bool = False) -> Forge:
    def forge(folder: Path) -> bytes:
        found = members_of(folder)
        return zip_of([*more, *found] if first else [*found, *more])

    return forge


def large_end(listed: bytes, at: int, count: int, *, size: int = 0, place: int = 0) -> bytes:
    """Return the end for large zips, and where it is said to stand."""
    behind = at + len(listed)
    end = (b"PK\6\6", 44, 20, 45, 0, 0, count, count, len(listed) + size, at)
    return struct.pack("<4sQ2H2L4Q", *end) + struct.pack("<4sLQL", b"PK\6\7", 0, behind + place, 1)


def two_lists(listed: bytes, at: int, count: int) -> bytes:
    """Return two ends for large zips: the one that is pointed to, and the one that stands last."""
    first = large_end(listed, at, count)[:56]
    return first + large_end(listed, at, count, place=0)


def with_large_sizes(one: Member) -> Member:
    """Say the sizes where large ones are said."""
    numbers = struct.pack("<2Q", len(one.content), len(one.body()))
    extra = struct.pack("<2H", 1, len(numbers)) + numbers
    return replace(one, size=FULL, packed_size=FULL, extra=extra)


for _name in ("entries.jsonl", "leaves.bin", "checkpoint", "state.json", "manifest.dsse.json"):
    _changes: dict[str, Change] = {
        "a wrong check sum": lambda one: replace(one, crc=1),
        "a size that is one too small": lambda one: replace(one, size=len(one.content) - 1),
        "a size that is one too large": lambda one: replace(one, size=len(one.content) + 1),
        "a size of what is too small, with its check sum": lambda one: replace(
            one, size=len(one.content) - 1, crc=zlib.crc32(one.content[:-1])
        ),
        "something behind what is packed": lambda one: replace(one, packed=one.body() + b"more"),
        "what is packed cut off": lambda one: replace(one, packed=one.body()[:-1]),
        "another name of its own": lambda one: replace(one, own_name=one.name[::-1]),
        "a size beside what is stored": lambda one: replace(one, method=0, size=5),
        "a way of packing that there is not": lambda one: replace(one, method=12),
        "a link": lambda one: replace(one, made_by=0x0314, attributes=0o120777 << 16),
        "a lock": lambda one: replace(one, flags=ENCRYPTED),
        "a patch": lambda one: replace(one, flags=PATCHED),
    }
    HOSTILE_ZIPS |= {
        f"{what} of {_name}": (with_member(_name, change), 2) for what, change in _changes.items()
    }
    HOSTILE_ZIPS[f"{_name} stored"] = (with_member(_name, lambda one: replace(one, method=0)), 0)
    HOSTILE_ZIPS[f"{_name} with large sizes"] = (with_member(_name, with_large_sizes), 0)

HOSTILE_ZIPS |= {
    "nothing odd": (with_odd(Odd()), 0),
    "a list without the sign of one": (with_bytes(b"PK\1\2", b"PK\1\3"), 2),
    "an end without the sign of one": (with_bytes(b"PK\5\6", b"PK\5\7"), 2),
    "a part of it on another disk": (with_bytes(b"PK\5\6\0\0", b"PK\5\6\1\0"), 2),
    "a head of a file without the sign of one": (with_bytes(b"PK\3\4", b"PK\3\5"), 2),
    "an end for large zips without its sign": (
        with_odd(Odd(large=lambda *told: large_end(*told).replace(b"PK\6\6", b"PK\6\5"))),
        2,
    ),
    "a run that was drawn": (lambda folder: zip_of(packed(seeded()(folder / "good"))), 0),
    "no manifest": (without_member("manifest.json"), 2),
    "no signature of the manifest": (without_member("manifest.dsse.json"), 3),
    "no entries": (without_member("entries.jsonl"), 1),
    "a folder": (and_member(Member(name=b"reports/", content=b"", method=0)), 0),
    "a remark": (with_odd(Odd(comment=b"hello")), 2),
    "a remark that is an end": (with_odd(Odd(comment=b"PK\5\6" + bytes(18))), 2),
    "something behind its end": (with_odd(Odd(behind=b"x")), 2),
    "the sign of an end behind it": (with_odd(Odd(behind=b"PK\5\6")), 2),
    "something before it": (with_odd(Odd(before=b"#!/bin/sh\n")), 2),
    "something before it that no place counts": (with_odd(Odd(before=b"x", shown=False)), 2),
    "something before its list": (with_odd(Odd(between=b"x")), 0),
    "a list that is elsewhere": (with_odd(Odd(shifted=1)), 2),
    "a list that is before everything": (with_odd(Odd(shifted=-(1 << 20) & FULL)), 2),
    "fewer files than it says": (with_odd(Odd(count=1)), 2),
    "an end for large zips": (with_odd(Odd(large=large_end)), 0),
    "an end for large zips that says another size": (
        with_odd(Odd(large=lambda *told: large_end(*told, size=1))),
        2,
    ),
    "an end for large zips that stands elsewhere": (
        with_odd(Odd(large=lambda *told: large_end(*told, place=-4))),
        2,
    ),
    "two ends for large zips": (with_odd(Odd(large=two_lists)), 2),
    "a file before the first": (
        and_member(Member(name=b"report.html", content=b"x", is_listed=False), first=True),
        2,
    ),
    "a file that stands twice": (and_member(Member(name=b"leaves.bin", content=b"")), 2),
    "a name that goes on": (and_member(Member(name=b"x\0y", content=b"")), 2),
    "a name that is no UTF-8": (and_member(Member(name=b"x\xff", content=b"", flags=UTF8)), 1),
    "a name in another alphabet": (and_member(Member(name="\u00e9".encode(), content=b"")), 1),
    "a file of a later kind of zip": (
        and_member(Member(name=b"extra", content=b"", made_by=99)),
        1,
    ),
    "an extra field that is cut off": (
        and_member(Member(name=b"extra", content=b"", extra=b"\1\0\x10\0abc")),
        2,
    ),
    "a place beyond the end": (and_member(Member(name=b"extra", content=b"", at=1 << 30)), 2),
    "a second name for a file": (and_member(Member(name=b"extra", content=b"", at=0)), 2),
}

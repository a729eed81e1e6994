"""A pack in a zip: its list is read, and no file is unpacked otherwise than the list says.

Programs differ over a zip that is oddly made: over two lists in one, what stands before its
first file, sizes and check sums that are not those of what is packed. Whatever they could
differ over is refused, by the page for a browser in the same way, so that everybody reads the
same files or none.
"""

import io
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from stat import S_ISLNK
from typing import IO, NamedTuple, cast

from storage.verify.broken import BrokenPackError

BLOCK = 1 << 16
MOST_LIST = 1 << 28  # Far more than the list of any pack.
END = struct.Struct("<4s4H2LH")
LARGE_END = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
LISTED = struct.Struct("<4s6H3L5H2L")
OWN = struct.Struct("<4s5H3L2H")
EXTRA = struct.Struct("<2H")
ATTRIBUTES = 15  # Which of what the list says of a file has its kind, as Unix knows it.
LARGE = 1  # The extra field with what 32 bits do not hold.
FULL = 0xFFFFFFFF
STORED, DEFLATED = 0, 8
# How well it is packed, whether its sizes stand behind it, whether its name is UTF-8.
KNOWN_FLAGS = 0b1000_0000_1110
NOT_BEFORE = "Something stands before its first file."


class Packed(NamedTuple):
    """A file as the list has it: how it is packed, from where on, its sizes and check sum."""

    name: bytes
    method: int
    at: int
    packed: int
    size: int
    crc: int


class ZipFiles:
    """The files of a zip, all of which can be unpacked as its list says."""

    def __init__(self, file: IO[bytes]) -> None:
        """Take the files of a zip.

        Raises:
            BrokenPackError: readers would differ over it, or it cannot be unpacked.
        """
        self._fd = file.fileno()
        self._files = _files_of(self._fd)
        for name in self._files:
            with self.open(name) as unpacked:
                while unpacked.read(BLOCK):
                    continue

    def names(self) -> frozenset[str]:
        return frozenset(self._files)

    def links(self) -> Sequence[str]:
        return ()  # Nothing is unpacked: a link is what is packed under its name.

    def open(self, name: str) -> IO[bytes]:
        if name not in self._files:
            raise BrokenPackError(f"{name} cannot be read: it is not there.")
        unpacked = _Unpacked(self._fd, name, self._files[name])
        return cast("IO[bytes]", io.BufferedReader(unpacked, BLOCK))


def _files_of(fd: int) -> Mapping[str, Packed]:
    """Return the files that the list names."""
    at, size, stated = _list_at(fd, os.fstat(fd).st_size)
    if size > MOST_LIST:
        raise BrokenPackError("It lists more files than a pack has.")
    listed = list(_listed(_read(fd, at, size)))
    if min((one.at for one in listed), default=0):
        raise BrokenPackError(NOT_BEFORE)
    if len(listed) != stated:
        raise BrokenPackError("Its list has another number of files than it says.")
    found: dict[str, Packed] = {}
    for one in listed:
        name = one.name.decode(errors="replace")
        if name.endswith("/"):
            continue
        if name in found:
            raise BrokenPackError(f"{name} stands twice in it.")
        found[name] = _placed(fd, one, end=at)
    return found


def _list_at(fd: int, size: int) -> tuple[int, int, int]:
    """Return where the list begins, how long it is, and how many it says that it names."""
    end = size - END.size
    sign, *disks, _here, stated, length, at, comment = END.unpack(_read(fd, end, END.size))
    if sign != b"PK\x05\x06" or any(disks) or comment:
        raise BrokenPackError("It is neither a folder nor a zip, or something stands behind it.")
    before = end - LOCATOR.size
    locator = LOCATOR.unpack(_read(fd, before, LOCATOR.size)) if before >= 0 else (b"",)
    if locator[0] == b"PK\x06\x07":
        end = before - LARGE_END.size
        sign, *_, stated, length, at = LARGE_END.unpack(_read(fd, end, LARGE_END.size))
        if sign != b"PK\x06\x06" or locator[2] != end:
            raise BrokenPackError("Its end is broken.")
    if at + length != end:
        raise BrokenPackError(NOT_BEFORE)
    return at, length, stated


def _listed(view: bytes) -> Iterator[Packed]:
    at = 0
    while at < len(view):
        head = LISTED.unpack(_within(view, at, LISTED.size))
        sign, _made, _needs, flags, method, *_moment, crc, packed, size = head[:10]
        lengths = head[10:13]
        if sign != b"PK\x01\x02":
            raise BrokenPackError("Its list is broken.")
        at += LISTED.size
        name, extra, _comment = _parts(view, at, lengths)
        at += sum(lengths)
        if b"\0" in name:
            raise BrokenPackError(f"{_shown(name)} goes on behind the end of its name.")
        if method not in {STORED, DEFLATED} or flags & ~KNOWN_FLAGS:
            raise BrokenPackError(f"{_shown(name)} is packed in a way that packs never use.")
        if S_ISLNK(head[ATTRIBUTES] >> 16):
            raise BrokenPackError(f"{_shown(name)} is a link; it may lead anywhere.")
        size, packed, start = _enlarged(extra, [size, packed, head[-1]])
        yield Packed(name, method, start, packed, size, crc)


def _parts(view: bytes, at: int, lengths: Sequence[int]) -> Iterator[bytes]:
    for length in lengths:
        yield _within(view, at, length)
        at += length


def _enlarged(extra: bytes, numbers: list[int]) -> list[int]:
    """Return the numbers, those that 32 bits do not hold from the field that has them."""
    while len(extra) >= EXTRA.size:
        kind, length = EXTRA.unpack_from(extra)
        block = _within(extra, EXTRA.size, length)
        extra = extra[EXTRA.size + length :]
        places = (8 * one for one in count())
        if kind == LARGE:
            numbers = [
                int.from_bytes(_within(block, next(places), 8), "little") if one == FULL else one
                for one in numbers
            ]
    return numbers


def _placed(fd: int, listed: Packed, *, end: int) -> Packed:
    """Return a file with the place where what is packed begins, behind its own head."""
    head = OWN.unpack(_read(fd, listed.at, OWN.size))
    name = _read(fd, listed.at + OWN.size, head[-2])
    start = listed.at + OWN.size + head[-2] + head[-1]
    is_within = start + listed.packed <= end
    if head[0] != b"PK\x03\x04" or name != listed.name or not is_within:
        raise BrokenPackError(f"{_shown(listed.name)} is not where the list says.")
    return listed._replace(at=start)


def _read(fd: int, at: int, size: int) -> bytes:
    found = os.pread(fd, size, at) if 0 <= at < 1 << 62 else b""
    if len(found) != size:
        raise BrokenPackError("It is no zip, or it is cut off.")
    return found


def _within(view: bytes, at: int, size: int) -> bytes:
    if at + size > len(view):
        raise BrokenPackError("Its list is cut off.")
    return view[at : at + size]


def _shown(name: bytes) -> str:
    return name.decode(errors="replace").partition("\0")[0]


class _Unpacked(io.RawIOBase):
    """One file as it is read; it ends in a refusal where it is not what the list says."""

    def __init__(self, fd: int, name: str, listed: Packed) -> None:
        super().__init__()
        self._fd, self._name, self._listed = fd, name, listed
        self._begin()

    def _begin(self) -> None:
        self._raw_at, self._raw_left = self._listed.at, self._listed.packed
        self._place, self._crc = 0, 0
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, out: memoryview) -> int:  # type: ignore[override]  # Nothing else reads it so.
        block = self._next(len(out))
        out[: len(block)] = block
        return len(block)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        wanted = offset + (self._place if whence == io.SEEK_CUR else 0)
        if wanted < self._place:
            self._begin()
        while self._place < wanted and self._next(min(BLOCK, wanted - self._place)):
            continue
        return self._place

    def _next(self, most: int) -> bytes:
        try:
            block = self._raw(most) if self._listed.method == STORED else self._inflated(most)
        except zlib.error:
            raise self._refusal() from None
        self._place += len(block)
        self._crc = zlib.crc32(block, self._crc)
        is_whole = (self._place, self._crc) == (self._listed.size, self._listed.crc)
        if self._place > self._listed.size or (not block and not is_whole):
            raise self._refusal()
        return block

    def _inflated(self, most: int) -> bytes:
        """Return what comes next, nothing at the end."""
        inflate = self._inflate
        while not inflate.eof:
            packed = inflate.unconsumed_tail or self._raw(BLOCK)
            block = inflate.decompress(packed, most)
            if block:
                return block
            if not packed:
                raise self._refusal()
        if inflate.unused_data or self._raw_left:
            raise self._refusal()
        return b""

    def _raw(self, most: int) -> bytes:
        block = _read(self._fd, self._raw_at, min(most, self._raw_left))
        self._raw_at += len(block)
        self._raw_left -= len(block)
        return block

    def _refusal(self) -> BrokenPackError:
        return BrokenPackError(f"{self._name} cannot be read: it is not packed as the list says.")

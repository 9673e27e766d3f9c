"""TIFF directories as EXIF blocks have them: taken apart and put together again (TIFF 6.0).

What is put together holds what its entries hold and not a byte more: whatever a file had beside
its entries, such as a thumbnail, is not in it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from mmap import mmap

EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
MAKER_NOTE = 0x927C
_POINTERS = (EXIF, GPS, INTEROPERABILITY)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_WORDS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}  # bytes turned at a time
_NUMBERS = {1: "B", 3: "H", 4: "L"}
ASCII, SHORT, LONG, RATIONAL = 2, 3, 4, 5
_ENTRY_BYTES = 12
_MOST_ENTRIES = 1000
_LONGEST_VALUE = 2**24  # bytes; longer ones are pixels


@dataclass(frozen=True)
class Entry:
    """A tag's value: its TIFF type, its bytes in the block's order, and where it lay."""

    kind: int
    data: bytes
    place: int = 0

    @property
    def count(self) -> int:
        """How many values it holds."""
        return len(self.data) // _SIZES[self.kind]

    def number(self, order: str) -> int:
        """Its first whole number.

        Raises:
            KeyError, struct.error: It holds none.
        """
        return int(struct.unpack_from(order + _NUMBERS[self.kind], self.data)[0])


Entries = dict[int, Entry]


@dataclass(frozen=True)
class Block:
    """An EXIF block.

    Args:
        order: ``<`` or ``>``.
        directories: Its first directory under 0, the others under the tag that leads to them.
        thumbnail: Whether a second directory follows the first, as for a thumbnail.
    """

    order: str = "<"
    directories: dict[int, Entries] = field(default_factory=lambda: {0: {}})
    thumbnail: bool = False

    def entry(self, directory: int, tag: int) -> Entry | None:
        """The entry of a tag, or None."""
        return self.directories.get(directory, {}).get(tag)

    def having(self, directory: int, tag: int, kind: int, *values: int | bytes) -> Block:
        """The block with another value: numbers for SHORT and LONG, bytes for others."""
        first = values[0] if values else b""
        if isinstance(first, bytes):
            data = first + b"\0" if kind == ASCII else first
        else:
            data = struct.pack(f"{self.order}{len(values)}{_NUMBERS[kind]}", *values)
        entries = self.directories.get(directory, {}) | {tag: Entry(kind, data)}
        return replace(self, directories=self.directories | {directory: entries})

    def without(self, directory: int, tags: Iterable[int]) -> Block:
        """The block without some tags of a directory."""
        gone = set(tags)
        entries = {t: e for t, e in self.directories.get(directory, {}).items() if t not in gone}
        return replace(self, directories=self.directories | {directory: entries})

    def without_directory(self, directory: int) -> Block:
        """The block without a directory."""
        rest = {name: e for name, e in self.directories.items() if name != directory}
        return replace(self, directories=rest)

    def ordered(self, order: str) -> Block:
        """The block in a byte order."""
        if order == self.order:
            return self
        turned = {
            name: {tag: replace(e, data=_turned(e)) for tag, e in entries.items()}
            for name, entries in self.directories.items()
        }
        return replace(self, order=order, directories=turned)

    def tobytes(self) -> bytes:
        """The block from the byte-order mark on; a maker note stays where it was, if it can."""
        mark = b"II*\0" if self.order == "<" else b"MM\0*"
        note = self.entry(EXIF, MAKER_NOTE)
        room = _Room(note)
        start = room.place(2 + _ENTRY_BYTES * self._size(0) + 4)
        self._lay_out(room, start)
        return room.bytes(mark + struct.pack(self.order + "L", start))

    def attached(self, offset: int) -> tuple[bytes, bytes]:
        """What lies outside the first directory, from a place in a file on, and its entries."""
        room = _Room(None, offset, offset)
        entries = self._entries(room, 0)
        return room.bytes(b""), entries

    def _size(self, directory: int) -> int:
        entries = self.directories.get(directory, {})
        return len(set(entries) | self._led_to(directory))

    def _led_to(self, directory: int) -> set[int]:
        under = {0: (EXIF, GPS), EXIF: (INTEROPERABILITY,)}.get(directory, ())
        return {name for name in under if self.directories.get(name)}

    def _lay_out(self, room: _Room, start: int, directory: int = 0) -> None:
        entries = self._entries(room, directory)
        count = struct.pack(self.order + "H", len(entries) // _ENTRY_BYTES)
        room.put(start, count + entries + b"\0\0\0\0")

    def _entries(self, room: _Room, directory: int) -> bytes:
        """The entries of a directory, their values and the directories below put in the room."""
        laid = {}
        for tag, entry in self.directories.get(directory, {}).items():
            head = struct.pack(self.order + "HHL", tag, entry.kind, entry.count)
            if len(entry.data) <= 4:
                laid[tag] = head + entry.data.ljust(4, b"\0")
            else:
                fixed = room.is_fixed and tag == MAKER_NOTE
                place = entry.place if fixed else room.place(len(entry.data))
                room.put(place, entry.data)
                laid[tag] = head + struct.pack(self.order + "L", place)
        for tag in self._led_to(directory):
            place = room.place(2 + _ENTRY_BYTES * self._size(tag) + 4)
            self._lay_out(room, place, tag)
            laid[tag] = struct.pack(self.order + "HHLL", tag, LONG, 1, place)
        return b"".join(laid[tag] for tag in sorted(laid))


class _Room:
    """Bytes that fill up from the front, around one value that does not move."""

    def __init__(self, note: Entry | None, start: int = 8, origin: int = 0) -> None:
        self.is_fixed = note is not None and note.place >= 8 and len(note.data) > 4
        self._hole = range(0)
        if note is not None and self.is_fixed:
            self._hole = range(note.place, note.place + len(note.data))
        self._origin = origin
        self._end = start
        self._late: int | None = None
        self._parts: dict[int, bytes] = {}

    def place(self, size: int) -> int:
        """An even place for so many bytes."""
        place = self._end + self._end % 2
        if self._hole and place < self._hole.stop and place + size > self._hole.start:
            place = self._hole.stop + self._hole.stop % 2
            if self._late is not None:
                place = self._late + self._late % 2
            self._late = place + size
            return place
        self._end = place + size
        return place

    def put(self, place: int, data: bytes) -> None:
        self._parts[place] = data

    def bytes(self, head: bytes) -> bytes:
        end = max((place + len(data) for place, data in self._parts.items()), default=self._origin)
        whole = bytearray(max(end - self._origin, len(head)))
        whole[: len(head)] = head
        for place, data in self._parts.items():
            whole[place - self._origin : place - self._origin + len(data)] = data
        return bytes(whole)


def parsed(block: bytes | mmap) -> Block:
    """The directories of a block, from the byte-order mark on, or of a whole TIFF file.

    Raises:
        KeyError, struct.error: It is damaged.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}[block[:4]]
    first, following = _directory(block, order, _unpacked(block, order + "L", 4)[0])
    directories = {0: first}
    for tag, above in ((EXIF, 0), (GPS, 0), (INTEROPERABILITY, EXIF)):
        entry = directories.get(above, {}).get(tag)
        if entry is None:
            continue
        try:
            directories[tag], _ = _directory(block, order, entry.number(order))
        except (KeyError, struct.error):
            continue
    for entries in directories.values():
        for tag in _POINTERS:
            entries.pop(tag, None)
    return Block(order, directories, bool(following))


def _directory(block: bytes | mmap, order: str, start: int) -> tuple[Entries, int]:
    """The entries of a directory that lie within the block, and the link to the next one."""
    (count,) = _unpacked(block, order + "H", start)
    end = start + 2 + _ENTRY_BYTES * count
    if start < 8 or count > _MOST_ENTRIES or end > len(block):
        raise struct.error("not a directory")
    entries: Entries = {}
    for place in range(start + 2, end, _ENTRY_BYTES):
        tag, kind, number = _unpacked(block, order + "HHL", place)
        size = _SIZES.get(kind, 0) * number
        at = place + 8 if size <= 4 else _unpacked(block, order + "L", place + 8)[0]
        if size and size <= _LONGEST_VALUE and at + size <= len(block):
            entries.setdefault(tag, Entry(kind, block[at : at + size], at))
    following = _unpacked(block, order + "L", end)[0] if end + 4 <= len(block) else 0
    return entries, following


def _unpacked(block: bytes | mmap, layout: str, place: int) -> tuple[int, ...]:
    return struct.unpack(layout, block[place : place + struct.calcsize(layout)])


def _turned(entry: Entry) -> bytes:
    width = _WORDS.get(entry.kind, 1)
    data = entry.data
    return b"".join(data[i : i + width][::-1] for i in range(0, len(data), width))

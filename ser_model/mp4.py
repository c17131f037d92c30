"""What an MP4's tables promise, read before FFmpeg believes them: a few bytes there can ask for gigabytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import accumulate

import numpy as np

MAX_PACKETS = 3_000_000  # a minute of uncompressed sound has 2.9 million, of AAC 3 thousand
MAX_BOXES = 10_000  # of a name; a recorder that writes as it goes makes a few each second
RUNS = (b"stts", b"ctts")  # tables of (how many packets, how long each)
COUNTS = {b"stsz": 8, b"trun": 4}  # tables that say a count, and how far behind their name
HIDDEN = b"cmov"  # packed tables, of the last century


def promises_too_much(data: bytes) -> bool:
    """Tell whether an MP4's tables promise more packets than MAX_PACKETS, or hide what they promise.

    FFmpeg makes an entry of 24 bytes for each promised packet, however small the file is.
    """
    tables = b"".join(_list_tables(data))
    if HIDDEN in tables or any(tables.count(name) > MAX_BOXES for name in (*RUNS, *COUNTS)):
        return True
    return any(total > MAX_PACKETS for total in accumulate(_count_promises(tables)))


def _list_tables(data: bytes) -> Iterator[bytes]:
    """Yield everything but the sound itself, which may hold any bytes (ISO 14496-12, section 4.2)."""
    start = 0
    while start + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, start)
        if size == 1 and start + 16 <= len(data):
            size = struct.unpack_from(">Q", data, start + 8)[0]
        size = size or len(data) - start  # 0: up to the end
        if size < 8:  # noqa: PLR2004 - the box's own header
            break
        if name != b"mdat":
            yield data[start : start + size]
        start += size
    yield data[start:]


def _count_promises(tables: bytes) -> Iterator[int]:
    """Yield what each table promises; an entry that promises nothing still takes time to read and counts as one."""
    for name, distance in COUNTS.items():
        for place in _find(tables, name):
            yield _read(tables, place + distance)
    for name in RUNS:
        for place in _find(tables, name):
            table = tables[place + 8 : place + 8 + 8 * _read(tables, place + 4)]
            runs = np.frombuffer(table[: len(table) // 8 * 8], ">u4")  # (count, length) in turns
            yield int(runs[::2].sum(dtype=np.uint64)) + runs.size // 2


def _find(tables: bytes, name: bytes) -> Iterator[int]:
    """Yield where each box of a name goes on behind it."""
    place = tables.find(name)
    while place >= 0:
        yield place + len(name)
        place = tables.find(name, place + 1)


def _read(tables: bytes, place: int) -> int:
    return int.from_bytes(tables[place : place + 4], "big")

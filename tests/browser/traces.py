"""Looks for what must not be there in every file of a folder, however a browser may have written it down.

A profile is mostly LevelDB, SQLite and cache entries. Text in it may be UTF-8, UTF-16 or base64, in a block that snappy
has compressed, in a record that a block's end has cut in two, in a gzip or brotli body. Each of these is undone.
"""

import base64
import json
import shutil
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import brotli

MOST = 64 * 1024 * 1024
"""No compressed piece is unpacked further than this, in bytes."""

DEEPEST = 3
"""Compressed inside a record inside a compressed block: no browser goes further."""

_SST_MAGIC = 0xDB4775248B80FB57
_CACHE_MAGIC = 0xFCFB6D1BA7725C30
_LOG_BLOCK = 32768
_SNAPPY_VALUE = b"\xff\x11\x02"
"""How Chromium begins a value of IndexedDB that it has compressed."""


@dataclass(frozen=True)
class Trace:
    """A mark that was found: in which file, in which encoding, inside what."""

    mark: str
    file: str
    written: str
    inside: str


def find(folder: Path, marks: dict[str, str | bytes]) -> list[Trace]:
    """Every mark in every file below a folder, file names included. A browser may be writing there meanwhile."""
    wanted = {name: patterns(mark) for name, mark in marks.items()}
    found: set[Trace] = set()
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        with suppress(FileNotFoundError):
            pieces = [("the name", name.encode())]
            if path.is_file() and not path.is_symlink():
                pieces += [("", path.read_bytes()), *_rows(path)]
            found |= {
                Trace(mark, name, written, inside)
                for where, piece in pieces
                for inside, data in layers(piece, where)
                for mark, ways in wanted.items()
                for written, pattern in ways.items()
                if pattern in data
            }
    return sorted(found, key=str)


def patterns(mark: str | bytes) -> dict[str, bytes]:
    """The ways a mark may be written down, as bytes."""
    if isinstance(mark, bytes):
        raw = {"bytes": mark}
        others = {"hex": mark.hex().encode(), "HEX": mark.hex().upper().encode()}
    else:
        raw = {name: mark.encode(name) for name in ("utf-8", "utf-16-le", "utf-16-be")}
        others = {"address": quote(mark).encode(), "json": json.dumps(mark)[1:-1].encode()}
        with suppress(UnicodeEncodeError):
            others["gb18030"] = mark.encode("gb18030")
    for name, said in raw.items():
        for shift in range(3):
            coded = _inner_base64(said, shift)
            others[f"base64 of {name} +{shift}"] = coded
            if name in ("utf-8", "bytes"):
                others[f"base64 of {name} +{shift} in UTF-16"] = coded.decode().encode("utf-16-le")
            for_address = coded.translate(bytes.maketrans(b"+/", b"-_"))
            if for_address != coded:
                others[f"base64url of {name} +{shift}"] = for_address
    return raw | others


def _inner_base64(said: bytes, shift: int) -> bytes:
    """The signs that stand for `said` alone when it begins `shift` bytes after a multiple of three."""
    coded = base64.b64encode(b"\0" * shift + said).rstrip(b"=")
    return coded[(0, 2, 3)[shift] : len(coded) - ((shift + len(said)) % 3 != 0)]


def layers(data: bytes, inside: str = "", depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """The bytes as they are, and whatever is compressed or cut up in them, each with what it is inside of."""
    yield inside, data
    if depth == DEEPEST:
        return
    for kind, read in _READERS.items():
        for piece in read(data):
            if piece and piece != data:
                yield from layers(piece, f"{inside} {kind}".strip(), depth + 1)


def _inflated(data: bytes, start: int, bits: int) -> bytes:
    """What comes out before the stream ends or turns out to be none."""
    inflate, out = zlib.decompressobj(bits), bytearray()
    with suppress(zlib.error):
        for at in range(start, len(data), 4096):
            out += inflate.decompress(data[at : at + 4096])
            if inflate.eof or len(out) > MOST:
                break
    return bytes(out)


def _everywhere(data: bytes, sign: bytes) -> Iterator[int]:
    at = data.find(sign)
    while at >= 0:
        yield at
        at = data.find(sign, at + 1)


def _gzip(data: bytes) -> Iterator[bytes]:
    for at in _everywhere(data, b"\x1f\x8b\x08"):
        yield _inflated(data, at, 31)


def _zlib(data: bytes) -> Iterator[bytes]:
    for sign in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"):
        for at in _everywhere(data, sign):
            yield _inflated(data, at, 15)


def _zip(data: bytes) -> Iterator[bytes]:
    for at in _everywhere(data, b"PK\x03\x04"):
        if len(data) >= at + 30:
            name, extra = struct.unpack_from("<HH", data, at + 26)
            yield _inflated(data, at + 30 + name + extra, -15)


def _brotli(data: bytes) -> Iterator[bytes]:
    """The body of a cache entry, which follows the entry's key; brotli itself has no sign to look for."""
    if len(data) < 24 or struct.unpack_from("<Q", data)[0] != _CACHE_MAGIC:
        return
    decoder, out = brotli.Decompressor(), bytearray()
    with suppress(brotli.error):
        for at in range(24 + struct.unpack_from("<I", data, 12)[0], len(data)):
            # By single bytes: what follows the body's end is an error, and would swallow what came out with it.
            out += decoder.process(data[at : at + 1])
            if decoder.is_finished() or len(out) > MOST:
                break
    yield bytes(out)


def unsnappy(data: bytes, start: int = 0) -> bytes:
    """What a raw snappy stream says, as far as it is one.

    https://github.com/google/snappy/blob/main/format_description.txt
    """
    length, at = _varint(data, start)
    out = bytearray()
    while at < len(data) and len(out) < min(length, MOST):
        tag, at = data[at], at + 1
        if tag & 3 == 0:
            count = tag >> 2
            if count >= 60:
                size = count - 59
                count, at = int.from_bytes(data[at : at + size], "little"), at + size
            out += data[at : at + count + 1]
            at += count + 1
            continue
        if tag & 3 == 1:
            count, back, at = (tag >> 2 & 7) + 4, (tag >> 5 << 8) | int.from_bytes(data[at : at + 1], "little"), at + 1
        else:
            size = 2 if tag & 3 == 2 else 4
            count, back, at = (tag >> 2) + 1, int.from_bytes(data[at : at + size], "little"), at + size
        if not 0 < back <= len(out):
            break
        begin = len(out) - back
        out += (out[begin:] * (count // back + 1))[:count] if count > back else out[begin : begin + count]
    return bytes(out)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            break
    return value, at


def _snappy_values(data: bytes) -> Iterator[bytes]:
    for at in _everywhere(data, _SNAPPY_VALUE):
        yield unsnappy(data, at + len(_SNAPPY_VALUE))


def _sorted_table(data: bytes) -> Iterator[bytes]:
    """The entries of a LevelDB table, keys whole. https://github.com/google/leveldb/blob/main/doc/table_format.md"""
    if len(data) < 48 or struct.unpack_from("<Q", data, len(data) - 8)[0] != _SST_MAGIC:
        return
    _metaindex, at = _handle(data, len(data) - 48)
    index, _rest = _handle(data, at)
    for _key, where in _entries(_block(data, index)):
        yield b"\n".join(key + value for key, value in _entries(_block(data, _handle(where, 0)[0])))


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Where a block begins and how long it is, and what follows this."""
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return (offset, size), at


def _block(data: bytes, handle: tuple[int, int]) -> bytes:
    offset, size = handle
    block = data[offset : offset + size]
    return unsnappy(block) if data[offset + size : offset + size + 1] == b"\x01" else block


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        return
    end, at, key = len(block) - 4 - 4 * struct.unpack_from("<I", block, len(block) - 4)[0], 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        size, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        yield key, block[at + fresh : at + fresh + size]
        at += fresh + size


def _log(data: bytes) -> Iterator[bytes]:
    """The records of a LevelDB log, whole. https://github.com/google/leveldb/blob/main/doc/log_format.md"""
    record = b""
    for start in range(0, len(data), _LOG_BLOCK):
        block, at = data[start : start + _LOG_BLOCK], 0
        while at + 7 <= len(block):
            size, kind = struct.unpack_from("<HB", block, at + 4)
            if kind not in (1, 2, 3, 4) or at + 7 + size > len(block):
                return
            record = (b"" if kind in (1, 2) else record) + block[at + 7 : at + 7 + size]
            if kind in (1, 4):
                yield record
            at += 7 + size


_READERS = {
    "gzip": _gzip,
    "zlib": _zlib,
    "zip": _zip,
    "brotli": _brotli,
    "snappy": _snappy_values,
    "table": _sorted_table,
    "log": _log,
}


def _rows(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every value of an SQLite file, whole, its log taken in: a long text is spread over pages."""
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            return
    with tempfile.TemporaryDirectory() as aside:
        for part in path.parent.glob(path.name + "*"):
            with suppress(FileNotFoundError):
                shutil.copy(part, aside)
        with suppress(sqlite3.Error), closing(sqlite3.connect(Path(aside) / path.name)) as copy:
            copy.text_factory = bytes
            for (table,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                with suppress(sqlite3.Error):
                    for row in copy.execute(f'SELECT * FROM "{table.decode()}"'):
                        for value in row:
                            if isinstance(value, bytes):
                                yield f"row of {table.decode()}", value

"""JSON (RFC 8259) from bytes that nobody vouches for: size, depth and encoding are checked before the parser runs."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from geo.problems import Refusal

DEEPEST = 200
"""More than any caller may allow: CPython's parser recurses, and gives up somewhat below 1,000."""

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = np.zeros(256, dtype=np.int8)
_STEP[list(b"[{")] = 1
_STEP[list(b"]}")] = -1


@dataclass(frozen=True)
class Document:
    """The parsed value, and the first NaN or Infinity in it (they are not JSON, but worth finding by feature)."""

    value: Any
    constant: str | None


def parse(data: bytes, *, limit_bytes: int, limit_depth: int, limit_brackets: int) -> Document:
    """Parse UTF-8 (a byte order mark is dropped). Refusal: too_large, too_deep, not_utf8, not_json."""
    if len(data) > limit_bytes:
        raise Refusal("too_large", str(limit_bytes))
    _refuse_nesting(data, min(limit_depth, DEEPEST), limit_brackets)
    constants: list[str] = []

    def constant(word: str) -> float:
        if not constants:
            constants.append(word)
        return float(word)

    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=constant)
    except UnicodeDecodeError as error:
        raise Refusal("not_utf8", str(error.start)) from None
    except json.JSONDecodeError as error:
        raise Refusal("not_json", f"{error.lineno}:{error.colno}") from None
    except ValueError:  # a whole number of more than 4,300 digits
        raise Refusal("not_json") from None
    return Document(value, constants[0] if constants else None)


def _refuse_nesting(data: bytes, limit_depth: int, limit_brackets: int) -> None:
    """Refuse brackets too deep or too many, in linear time: 30 MB take about 0.1 s.

    Every list costs memory even when it is empty, so their number is bounded beside the number of bytes.
    """
    steps = _STEP[np.frombuffer(_outside_strings(data).translate(None, _NOT_BRACKETS), dtype=np.uint8)]
    if steps.size and int(np.cumsum(steps, dtype=np.int32).max()) > limit_depth:
        raise Refusal("too_deep", str(limit_depth))
    if int((steps == 1).sum()) > limit_brackets:
        raise Refusal("too_large", str(limit_brackets))


def _outside_strings(data: bytes) -> bytes:
    """Give what stands outside strings. Backslashes outside strings mislead it, but there the parser stops anyway."""
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(data.split(b'"')[::2])


def refuse_text(value: object) -> None:
    """Refuse values that cannot be written again: nan (also in numbers like 1e999), and bad_text."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise Refusal("nan") from None
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refusal("bad_text") from None
    if "\\u0000" in text.replace("\\\\", ""):  # PostgreSQL keeps no U+0000
        raise Refusal("bad_text")


def brief(value: object) -> str:
    """Give a parsed value as at most 60 characters of JSON that can always be encoded, to show where a problem lies."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:60].encode("utf-8", "replace").decode()

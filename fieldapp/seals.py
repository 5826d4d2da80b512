"""Sealing what must not lie readable in the database: ID numbers, telephones, what is said of them in the history.

A sealed value is text: "s1." for this form, the key's version, then nonce and AES-256-GCM in base64 (NIST SP 800-38D, a
fresh 96-bit nonce each). Table, row, column go in as associated data: a value that was moved elsewhere does not open.
Equal values are found by an HMAC-SHA-256 under a key of its own.
"""

import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from hmac import HMAC
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app, has_app_context

FORM = "s1."
"""How every sealed value begins; nothing that people type does."""


class Unsealable(ValueError):
    """A sealed value was moved, damaged, or its key is not here."""


@dataclass(frozen=True)
class Keyring:
    """Keys of 32 bytes by version, the highest seals; and one by which equal values are found."""

    keys: Mapping[int, bytes]
    index: bytes

    @cached_property
    def _ciphers(self) -> dict[int, AESGCM]:
        return {version: AESGCM(key) for version, key in self.keys.items()}

    @property
    def version(self) -> int:
        """The key that seals now."""
        return max(self.keys)

    def seal(self, said: str, table: str, row: UUID, column: str) -> str:
        """Seal a text for one column of one row."""
        nonce = os.urandom(12)
        hidden = self._ciphers[self.version].encrypt(nonce, said.encode(), _about(table, row, column))
        return f"{FORM}{self.version}.{urlsafe_b64encode(nonce + hidden).decode()}"

    def open(self, sealed: str, table: str, row: UUID, column: str) -> str:
        """What was sealed there. Raises Unsealable."""
        try:
            version, _, body = sealed.removeprefix(FORM).partition(".")
            found = urlsafe_b64decode(body)
            return self._ciphers[int(version)].decrypt(found[:12], found[12:], _about(table, row, column)).decode()
        except (InvalidTag, KeyError, ValueError) as error:
            raise Unsealable(f"{table}.{column}") from error

    def digest(self, said: str) -> str:
        """What equal texts have in common, 64 hexadecimal signs."""
        return HMAC(self.index, said.encode(), sha256).hexdigest()


def _about(table: str, row: UUID, column: str) -> bytes:
    return f"{table} {row} {column}".encode()


def is_sealed(said: str) -> bool:
    """Whether a text is a sealed value: what an older version wrote is not, until it is next written."""
    return said.startswith(FORM)


_elsewhere: Keyring | None = None


def use(keyring: Keyring) -> None:
    """Use a keyring where no program is running: in a test of the data layer, in a script."""
    global _elsewhere
    _elsewhere = keyring


def keyring() -> Keyring:
    """The keys of the running program. Raises RuntimeError where there is none: nothing is ever sealed by chance."""
    if has_app_context():
        found: Keyring = current_app.extensions["fieldapp-seals"]
        return found
    if _elsewhere is None:
        raise RuntimeError("no keys for the registry: run inside the program, or call seals.use()")
    return _elsewhere


def kept_keyring(file: Path) -> Keyring:
    """The keys in a file, made at the first start and readable for this program's user alone.

    One line a key: its version, or "index", and 64 hexadecimal signs. Without this file the numbers cannot be read
    again: keep a copy of it, and not beside the backups of the database.
    """
    if not file.exists():
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
            opened.write(f"1 {secrets.token_hex(32)}\nindex {secrets.token_hex(32)}\n")
        with suppress(FileExistsError):
            file.hardlink_to(fresh)  # whole or not at all: two that start together agree
        fresh.unlink()
    lines = dict(line.split() for line in file.read_text().splitlines() if line.strip())
    index = bytes.fromhex(lines.pop("index"))
    return Keyring({int(version): bytes.fromhex(key) for version, key in lines.items()}, index)


def add_version(file: Path) -> Keyring:
    """Add a key to the file; from now on it seals, and the older ones only open."""
    kept = kept_keyring(file)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    lines = [f"{version} {key.hex()}" for version, key in kept.keys.items()]
    lines += [f"{kept.version + 1} {secrets.token_hex(32)}", f"index {kept.index.hex()}"]
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
        opened.write("\n".join(lines) + "\n")
    fresh.replace(file)
    return kept_keyring(file)


def opened(sealed: str | None, table: str, row: UUID, column: str) -> str | None:
    """A sealed value open; what is not sealed as it is. Raises Unsealable."""
    return sealed if sealed is None or not is_sealed(sealed) else keyring().open(sealed, table, row, column)


class Sealed:
    """A mapped text that is sealed in its column `<name>_sealed`: `resident.phone` reads and writes it open.

    `hashed` names the column by which equal values are found, where there is one. The row's key must be known first:
    mix in `KeyedFirst`. `only` says by the row whether this one is to be sealed at all.
    """

    def __init__(self, hashed: str | None = None) -> None:
        self.hashed = hashed

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.column = name, f"{name}_sealed"

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        return opened(getattr(row, self.column), row.__tablename__, row.id, self.name)

    def __set__(self, row: Any, said: str | None) -> None:
        sealed = said if said is None else keyring().seal(said, row.__tablename__, row.id, self.name)
        setattr(row, self.column, sealed)
        if self.hashed:
            setattr(row, self.hashed, said and keyring().digest(said))

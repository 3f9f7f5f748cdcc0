"""SYSTEM. The data keys, and sealing with them: AES-256-GCM by the `cryptography` package.

The keys are in KEEPSIGHT_DATA_KEY, or in the file KEEPSIGHT_DATA_KEY_FILE (without a word:
DATA_DIR/keys/data.key), each base64 of 32 bytes, the newest first. Everything is sealed with the
first; the others only open. Of a file that changed the new content counts at once, so that a
process that runs during a rotation does not seal with a key that is about to go.

A sealed text is `sealed.1.<key id>.<base64 of nonce and ciphertext>`. The label (which column it
is of) is authenticated with it: a value that is moved to another column does not open.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from webapp.common import env

PREFIX = "sealed.1."
KEY_BYTES, NONCE_BYTES = 32, 12
VARIABLE = "KEEPSIGHT_DATA_KEY"


class VaultError(ImproperlyConfigured):
    """A sentence: what is missing or wrong about the data key, and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """One data key. Its bytes are in no repr."""

    id: str
    """8 hexadecimal digits of its hash: says which key it is, and nothing about its bytes."""
    cipher: AESGCM = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of this process, the newest first."""

    keys: tuple[Key, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its keys."""
        return tuple(key.id for key in self.keys)

    @property
    def prefix(self) -> str:
        """How every text begins that the newest key has sealed. Raises VaultError without keys."""
        return f"{PREFIX}{self._newest().id}."

    def seal(self, text: str, label: str) -> str:
        """The text, readable only with the newest key. Raises VaultError without keys."""
        key, nonce = self._newest(), os.urandom(NONCE_BYTES)
        sealed = nonce + key.cipher.encrypt(nonce, text.encode(), label.encode())
        return f"{PREFIX}{key.id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: str, label: str) -> str:
        """The inverse of `seal`. Raises VaultError: its key is missing, or the text is damaged."""
        wanted, _, coded = sealed.removeprefix(PREFIX).partition(".")
        for key in self.keys:
            if key.id == wanted:
                try:
                    raw = base64.urlsafe_b64decode(coded)
                    nonce, rest = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
                    return key.cipher.decrypt(nonce, rest, label.encode()).decode()
                except (InvalidTag, ValueError):
                    raise VaultError(
                        f"{label} holds a value that was damaged or moved there; restore the "
                        "database's backup."
                    ) from None
        raise VaultError(missing([wanted], self))

    def _newest(self) -> Key:
        if not self.keys:
            raise VaultError(f"There is no data key; run `keepsight migrate`, or set {VARIABLE}.")
        return self.keys[0]


def is_sealed(text: str) -> bool:
    """Whether the text is one of `Keyring.seal`; a row of an earlier release has others."""
    return text.startswith(PREFIX)


def missing(wanted: Iterable[str], ring: Keyring) -> str:
    """The sentence for keys that the database needs and that are not there."""
    names = ", ".join(sorted(wanted))
    have = f"holds only {', '.join(ring.ids)}" if ring.keys else "holds none"
    return (
        f"The database's secrets are sealed with the data key {names}, and {source()} {have}; "
        "put the right key back, or restore database and key of one backup."
    )


def key_file() -> Path:
    """Where the keys are unless the environment holds them."""
    return _path(env.text("DATA_KEY_FILE"), str(settings.DATA_DIR))


@functools.lru_cache(maxsize=4)
def _path(written: str, data_dir: str) -> Path:
    return Path(written) if written else Path(data_dir) / "keys" / "data.key"


def source() -> str:
    """Where this process has its keys from, for a sentence."""
    return VARIABLE if env.text("DATA_KEY") else str(key_file())


def keyring() -> Keyring:
    """The keys as they are now; none where nobody made one. Raises VaultError."""
    if text := env.text("DATA_KEY"):
        return _parsed(text, VARIABLE)
    path = key_file()
    try:
        seen = path.stat()
        return _of_file(path, seen.st_mtime_ns, seen.st_ino, seen.st_size)
    except FileNotFoundError:
        return Keyring(())
    except OSError as error:
        raise VaultError(
            f"{path}: {error.strerror}; this process must read the data key."
        ) from None


_opened_with: list[Keyring] = []
"""The keyring that opened the last value: a page opens thousands, and looks for the file once."""


def open_sealed(sealed: str, label: str) -> str:
    """`Keyring.open` with the keys as they are now, or as they were for the value before."""
    wanted = sealed.removeprefix(PREFIX).partition(".")[0]
    if not _opened_with or wanted not in _opened_with[0].ids:
        _opened_with[:] = [keyring()]
    return _opened_with[0].open(sealed, label)


@functools.lru_cache(maxsize=4)
def _of_file(path: Path, _mtime_ns: int, _inode: int, _size: int) -> Keyring:
    return _parsed(env.private_text(path), str(path))


@functools.lru_cache(maxsize=4)
def _parsed(text: str, where: str) -> Keyring:
    return Keyring(tuple(dict.fromkeys(_key(word, where) for word in _words(text))))


def _words(text: str) -> list[str]:
    lines = (line.partition("#")[0] for line in text.splitlines())
    return [word for line in lines for word in line.replace(",", " ").split()]


@functools.lru_cache(maxsize=32)
def _key(word: str, where: str) -> Key:
    try:
        raw = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise VaultError(
            f"{where} holds a word that is no data key; write base64 of {KEY_BYTES} bytes, as "
            "`openssl rand -base64 32` prints it."
        )
    return Key(hashlib.sha256(b"keepsight data key\0" + raw).hexdigest()[:8], AESGCM(raw))


def new_key() -> str:
    """A new key as the file and the environment have it."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def make_file() -> Keyring:
    """Make the key file, unless another process was first. Raises OSError."""
    env.secret_file(key_file(), lambda: f"{new_key()}\n".encode())
    return keyring()


def add_to_file() -> Keyring:
    """Put a new key before those of the file. Raises VaultError, OSError."""
    if env.text("DATA_KEY"):
        raise VaultError(
            f"The data key is in {VARIABLE}: put a new one before it there (`openssl rand "
            "-base64 32`), start every process again, and run this without --new."
        )
    path = key_file()
    kept = env.private_text(path) if path.exists() else ""
    env.write_secret(path, f"{new_key()}\n{kept}".rstrip("\n"))
    return keyring()


def keep_newest() -> Keyring:
    """Take all keys but the newest out of the file. Raises VaultError, OSError."""
    if env.text("DATA_KEY"):
        raise VaultError(f"The data keys are in {VARIABLE}: take the old ones out there.")
    path = key_file()
    env.write_secret(path, _words(env.private_text(path))[0])
    return keyring()

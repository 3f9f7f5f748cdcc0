"""The settings of auth_hmac: some keys stand in the configuration, others in files of the node.

PURE. The caller of `with_keys` reads the files, anew at each start and reload.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hanode.build.words import Words
from hanode.conf import VrrpInstance, queries
from hanode.vrrp.engine_settings import HmacKey, HmacSettings, VrrpSettings

KEY_BYTES = range(32, 65)
IN_HEX, IN_FILE = "hex:", "file:"


def settings(made: VrrpInstance, words: Words) -> HmacSettings | None:
    """An instance's auth_hmac; a key in a file is still empty. Raises ValueError."""
    block = words.any("auth_hmac")
    if block is None:
        return None
    inner = Words(block)
    keys = tuple(_key(said) for said in inner.many("key"))
    active = inner.number("active_key")
    interval_us = queries.interval_us(made)
    window = inner.number("time_window")
    anti_replay = inner.flag("anti_replay")
    mode = inner.text("mode") or "enforce"
    return HmacSettings(
        keys=keys,
        active=keys[0].id if active is None and keys else active or 0,
        anti_replay=anti_replay is None or anti_replay,
        window_us=max(3 * interval_us, 5_000_000) if window is None else window * 1_000_000,
        mode=mode,  # type: ignore[arg-type]  # the table allows the three
    )


def with_keys(told: VrrpSettings, read: Callable[[str], str]) -> VrrpSettings:
    """The settings with the keys of all files. Raises ValueError with the reason, as `read` does.

    A file holds what could stand in the configuration: text, or hex:… ; white space around it
    does not count.
    """
    if not any(one.hmac and any(key.path for key in one.hmac.keys) for one in told.instances):
        return told
    instances = []
    for one in told.instances:
        if one.hmac is not None:
            try:
                keys = tuple(_from_file(key, read) if key.path else key for key in one.hmac.keys)
            except ValueError as error:
                raise ValueError(f"{one.name}: {error}") from None
            one = replace(one, hmac=replace(one.hmac, keys=keys))
        instances.append(one)
    return replace(told, instances=tuple(instances))


def _from_file(key: HmacKey, read: Callable[[str], str]) -> HmacKey:
    where = f"auth_hmac key {key.id}, {key.path}"
    try:
        text = read(key.path)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return replace(key, key=_bytes(where, text.strip()).hex())


def _key(said: tuple[str, ...]) -> HmacKey:
    number, secret = said[0], said[1] if len(said) > 1 else ""
    where = f"auth_hmac key {number}"
    if not number.isdecimal():
        raise ValueError(f"{where}: its number comes first, and then the key")
    if not secret.startswith(IN_FILE):
        return HmacKey(int(number), _bytes(where, secret).hex())
    path = secret.removeprefix(IN_FILE)
    if not path.startswith("/"):
        raise ValueError(f"{where}: the path behind {IN_FILE} must begin with /")
    return HmacKey(int(number), "", path)


def _bytes(where: str, secret: str) -> bytes:
    try:
        in_hex = secret.startswith(IN_HEX)
        raw = bytes.fromhex(secret.removeprefix(IN_HEX)) if in_hex else secret.encode()
    except ValueError:
        raise ValueError(f"{where} is not written in hex") from None
    if len(raw) not in KEY_BYTES:
        raise ValueError(f"{where} must have 32 to 64 bytes, and has {len(raw)}")
    return raw

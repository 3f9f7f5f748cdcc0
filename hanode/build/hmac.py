"""The settings of auth_hmac: some keys stand in the configuration, others in files of the node.

PURE. The caller of `with_keys` reads the files, anew at each start and reload. As keepalived 2.4.3
has it, a key that cannot be used is left out, and without the key to sign with there is no
auth_hmac: adverts are sent unsigned, and signed ones are refused. `check` calls that an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hanode.build.words import Words
from hanode.conf import KEY_IN_FILE, VrrpInstance, key_bytes, queries
from hanode.vrrp.engine_settings import HmacKey, HmacSettings, InstanceSettings, VrrpSettings

SECOND_US = 1_000_000
WINDOW_LEAST_S, WINDOW_MOST_S = 5, 300
FILE_BYTES_MOST = 138
"""keepalived takes no larger file: `hex:`, 128 digits, and the end of the line."""


def settings(made: VrrpInstance, words: Words, *, strict: bool) -> HmacSettings | None:
    """An instance's auth_hmac; None: there is none, or it is off. A key in a file is empty yet."""
    block = words.any("auth_hmac")
    if block is None:
        return None
    inner = Words(block)
    keys: dict[int, HmacKey] = {}
    for said in inner.many("key"):
        keys.setdefault(said.number, _key(said.number, said.secret))
    active, window_s = inner.number("active_key"), inner.number("time_window")
    anti_replay, mode = inner.text("anti_replay") or "time", inner.text("mode") or "enforce"
    if active not in keys:
        return None
    if window_s is None:
        whole_s = 3 * (queries.interval_us(made) // SECOND_US)
        window_s = min(max(whole_s, WINDOW_LEAST_S), WINDOW_MOST_S)
    return HmacSettings(
        keys=tuple(keys.values()),
        active=active,
        anti_replay=anti_replay,  # type: ignore[arg-type] # the table allows the two
        window_us=window_s * SECOND_US,
        mode="enforce" if strict else mode,  # type: ignore[arg-type] # the table allows the three
    )


def with_keys(
    told: VrrpSettings, read: Callable[[str], str]
) -> tuple[VrrpSettings, tuple[str, ...]]:
    """The settings with the keys of all files; a sentence for each that cannot be used.

    `read` raises ValueError with the reason. A file holds what could stand in the configuration:
    text, or hex:…; only the end of its line does not count.
    """
    if not any(one.hmac and any(key.path for key in one.hmac.keys) for one in told.instances):
        return told, ()
    complaints: list[str] = []
    instances = tuple(_instance(one, read, complaints) for one in told.instances)
    return replace(told, instances=instances), tuple(complaints)


def _instance(
    one: InstanceSettings, read: Callable[[str], str], complaints: list[str]
) -> InstanceSettings:
    if one.hmac is None:
        return one
    keys, active = [], one.hmac.active
    for key in one.hmac.keys:
        try:
            keys.append(_from_file(key, read) if key.path else key)
        except ValueError as error:
            what = f"{one.name}: auth_hmac key {key.id}, {key.path}: {error}"
            if key.id == active:
                what += (
                    "; it is the key to sign with: until a reload finds it, adverts are sent"
                    " unsigned, and signed ones are refused"
                )
            complaints.append(what)
    if active not in {key.id for key in keys}:
        return replace(one, hmac=None)
    return replace(one, hmac=replace(one.hmac, keys=tuple(keys)))


def _from_file(key: HmacKey, read: Callable[[str], str]) -> HmacKey:
    text = read(key.path)
    if len(text.encode(errors="surrogateescape")) > FILE_BYTES_MOST:
        raise ValueError(f"it is larger than the {FILE_BYTES_MOST} bytes that hold any key")
    text = text.rstrip("\r\n").partition("\0")[0]  # keepalived reads it as a C string
    try:
        return replace(key, key=key_bytes(text).hex())
    except ValueError as error:
        raise ValueError(f"it {error}") from None


def _key(number: int, secret: str) -> HmacKey:
    if secret.startswith(KEY_IN_FILE):
        return HmacKey(number, "", secret.removeprefix(KEY_IN_FILE))
    return HmacKey(number, key_bytes(secret).hex())

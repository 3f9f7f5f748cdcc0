"""Encodes dataclasses as plain JSON values and decodes them: for all messages between processes.

PURE. The fields of a class are inspected once, and a reader is built for each: the status of
thousands of instances has some hundred thousand values, and is sent at every heartbeat.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Reader = Callable[[Any], Any]

PLAIN = frozenset({str, int, bool, float, type(None)})
"""Types whose values are JSON values already."""


class WireError(ValueError):
    """A message does not have the expected form; the text says what is wrong and where."""


class _Misfit(Exception):
    """A value that does not fit; each level adds its step to `where`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.where, self.why = "", why

    def below(self, step: str) -> _Misfit:
        self.where = step + self.where
        return self


def encode(value: Any, *, brief: bool = False) -> Any:
    """Plain JSON values of a dataclass (or of a tuple, list or dict of them).

    `brief` leaves out fields that have their default. Use it only for a reader of the same release:
    another may have other defaults. It makes the settings of thousands of instances a fifth as
    long.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    if dataclasses.is_dataclass(kind):
        encoded = {}
        for name, default in _defaults(kind):
            inner = getattr(value, name)
            if not brief or inner != default:
                encoded[name] = inner if type(inner) in PLAIN else encode(inner, brief=brief)
        return encoded
    if isinstance(value, (list, tuple)):
        return [item if type(item) in PLAIN else encode(item, brief=brief) for item in value]
    if isinstance(value, dict):
        return {
            str(key): item if type(item) in PLAIN else encode(item, brief=brief)
            for key, item in value.items()
        }
    return value


@functools.cache
def _defaults(cls: type) -> tuple[tuple[str, Any], ...]:
    """Fields and their defaults; a field without default has MISSING, which equals no value."""
    return tuple((f.name, f.default) for f in dataclasses.fields(cls))


def to_json(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"))


def from_json(cls: type[T], text: str | bytes) -> T:
    """Inverse of `to_json`. Raises WireError."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from None
    return decode(cls, raw)


def decode(cls: type[T], raw: Any) -> T:
    """Builds dataclass `cls` from plain JSON values. Raises WireError; ignores unknown fields."""
    try:
        kind: Any = cls
        value: T = _reader(kind)(raw)
    except _Misfit as misfit:
        raise WireError(f"{cls.__name__}{misfit.where}: {misfit.why}") from None
    return value


@functools.cache
def _reader(hint: Any) -> Reader:
    """The function that builds a value of that type. The function raises _Misfit."""
    origin = typing.get_origin(hint)
    if hint is Any:
        return lambda raw: raw
    if origin in (types.UnionType, typing.Union):
        return _union(typing.get_args(hint))
    if origin is tuple:
        return _tuple(typing.get_args(hint))
    if origin is dict or hint is dict:
        return _dict((typing.get_args(hint) or (str, Any))[1])
    if origin is typing.Literal:
        return _literal(typing.get_args(hint))
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint)
    return functools.partial(_scalar, hint)


def _union(options: tuple[Any, ...]) -> Reader:
    may_be_none = type(None) in options
    readers = [_reader(option) for option in options if option is not type(None)]

    def read(raw: Any) -> Any:
        if raw is None and may_be_none:
            return None
        misfits = []
        for reader in readers:
            try:
                return reader(raw)
            except _Misfit as misfit:
                misfits.append(misfit)
        raise misfits[0] if len(misfits) == 1 else _Misfit("fits none of its forms")

    return read


def _tuple(args: tuple[Any, ...]) -> Reader:
    many = len(args) == 2 and args[1] is Ellipsis
    readers = [_reader(arg) for arg in args if arg is not Ellipsis]

    def read(raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, (list, tuple)):
            raise _Misfit(f"expected a list, got {_kind(raw)}")
        if not many and len(readers) != len(raw):
            raise _Misfit(f"expected {len(readers)} items, got {len(raw)}")
        values = []
        try:
            for reader, item in zip(readers * len(raw) if many else readers, raw, strict=True):
                values.append(reader(item))
        except _Misfit as misfit:
            raise misfit.below(f"[{len(values)}]") from None
        return tuple(values)

    return read


def _dict(inner: Any) -> Reader:
    reader, exact = _reader(inner), inner if inner in PLAIN else None

    def read(raw: Any) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise _Misfit(f"expected an object, got {_kind(raw)}")
        values = {}
        for key, item in raw.items():
            try:
                values[str(key)] = item if type(item) is exact else reader(item)
            except _Misfit as misfit:
                raise misfit.below(f".{key}") from None
        return values

    return read


def _literal(known: tuple[Any, ...]) -> Reader:
    def read(raw: Any) -> Any:
        if raw not in known:
            raise _Misfit(f"{raw!r} is none of {known}")
        return raw

    return read


@functools.cache
def _fields(cls: Any) -> tuple[dict[str, tuple[Any, Reader]], tuple[str, ...]]:
    """By field: the type whose values need no reader, and the reader; and the required fields."""
    hints = typing.get_type_hints(cls)
    fields = [f for f in dataclasses.fields(cls) if f.init]
    missing = dataclasses.MISSING
    needed = [f.name for f in fields if f.default is missing and f.default_factory is missing]
    readers = {
        f.name: (hint if (hint := hints[f.name]) in PLAIN else None, _reader(hint)) for f in fields
    }
    return readers, tuple(needed)


def _dataclass(cls: Any) -> Reader:
    def read(raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise _Misfit(f"expected an object, got {_kind(raw)}")
        readers, needed = _fields(cls)
        for name in needed:
            if name not in raw:
                raise _Misfit(f"{name} is missing")
        values = {}
        for name, item in raw.items():
            if name not in readers:
                continue
            exact, reader = readers[name]
            try:
                values[name] = item if type(item) is exact else reader(item)
            except _Misfit as misfit:
                raise misfit.below(f".{name}") from None
        try:
            return cls(**values)
        except ValueError as error:
            raise _Misfit(str(error)) from None

    return read


def _scalar(hint: Any, raw: Any) -> Any:
    if hint is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if (
        isinstance(hint, type)
        and issubclass(hint, str)
        and hint is not str
        and isinstance(raw, str)
    ):
        return _enum(hint, raw)
    if hint is int and isinstance(raw, bool):
        raise _Misfit("expected int, got bool")
    if isinstance(hint, type) and not isinstance(raw, hint):
        if isinstance(raw, int) and issubclass(hint, int) and hint is not bool:
            return _enum(hint, raw)
        raise _Misfit(f"expected {hint.__name__}, got {_kind(raw)}")
    return raw


def _enum(hint: Any, raw: Any) -> Any:
    try:
        return hint(raw)
    except ValueError:
        raise _Misfit(f"{raw!r} is no {hint.__name__}") from None


def _kind(raw: Any) -> str:
    return "null" if raw is None else type(raw).__name__

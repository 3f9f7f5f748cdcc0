"""SYSTEM. Each node's content key: what the broker holds for a node, only that node can read.

The key is made with the enrolment, is in it, and is kept in the database, sealed there itself. A
node that an earlier release enrolled has none, and gets its envelopes signed but readable.
"""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hanode import wire

KEY_BYTES = 64


def new_content_key() -> str:
    """Base64 of a new key, as wire.Enrolment has it."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def sealed(envelope: wire.Signed, *, node: str, content_key: str) -> wire.Sealed:
    """The envelope for that node (its wire id) alone.

    AES-SIV gives the same bytes for the same envelope, so that the reconciler sees that nothing
    changed, and needs no nonce.
    """
    cipher = AESSIV(base64.b64decode(content_key))
    raw = cipher.encrypt(wire.to_json(envelope).encode(), wire.sealed_for(node, envelope.kind))
    return wire.Sealed(wire.Sealed.KIND, base64.b64encode(raw).decode(), signature="")


def opened(value: bytes, kind: str, *, node: str, content_key: str | None) -> wire.Signed:
    """The envelope that the broker holds for that node. Raises ValueError: it is none of that kind.

    The signature inside is not verified.
    """
    envelope = wire.from_json(wire.Signed, value)
    if envelope.kind != wire.Sealed.KIND:
        return envelope
    if not content_key:
        raise ValueError("it is sealed, and the enrolment has no content key")
    try:
        raw = base64.b64decode(envelope.payload, validate=True)
        cipher = AESSIV(base64.b64decode(content_key))
        return wire.from_json(wire.Signed, cipher.decrypt(raw, wire.sealed_for(node, kind)))
    except InvalidTag:
        raise ValueError("it is sealed for another content key") from None

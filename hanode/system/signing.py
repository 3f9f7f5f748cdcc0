"""Verifies signatures with the pinned public key.

SYSTEM. Uses the machine's cryptography: Ed25519 over `Signed.signed_bytes()`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hanode.wire import Signed

KEY_BYTES = 32
SIGNATURE_BYTES = 64


def verifier(public_key: str) -> Callable[[Signed], bool]:
    """A function that verifies signatures of this key. Raises ValueError with a sentence."""
    try:
        raw = base64.b64decode(public_key, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("its public_key is no base64") from None
    if len(raw) != KEY_BYTES:
        raise ValueError(f"its public_key has {len(raw)} bytes, {KEY_BYTES} are needed")
    key = Ed25519PublicKey.from_public_bytes(raw)

    def verify(envelope: Signed) -> bool:
        try:
            signature = base64.b64decode(envelope.signature, validate=True)
            if len(signature) != SIGNATURE_BYTES:
                return False
            key.verify(signature, envelope.signed_bytes())
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    return verify

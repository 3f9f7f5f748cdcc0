"""Opens what the control plane has sealed for this node alone.

SYSTEM. AES-SIV by the `cryptography` package, with the node's content key from its enrolment: the
broker stores and logs revisions that only the node can read. Who wrote them is another question,
which the signature inside answers.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from hanode.wire import Enrolment, WireError, sealed_for

KEY_BYTES = 64


def unsealer(enrolment: Enrolment) -> Callable[[str, str], str]:
    """(kind, payload of a Sealed) → the JSON in it, or WireError with a sentence.

    Raises ValueError with a sentence: the enrolment's content key is none.
    """
    cipher = _cipher(enrolment.content_key) if enrolment.content_key else None

    def unseal(kind: str, payload: str) -> str:
        if cipher is None:
            raise WireError(
                "it is sealed, and this node's enrolment has no content key; enrol the node again"
            )
        try:
            raw = base64.b64decode(payload, validate=True)
            return cipher.decrypt(raw, sealed_for(enrolment.node, kind)).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise WireError("it is sealed, but not for this node's content key") from None

    return unseal


def _cipher(content_key: str) -> AESSIV:
    try:
        raw = base64.b64decode(content_key, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("its content_key is no base64") from None
    if len(raw) != KEY_BYTES:
        raise ValueError(f"its content_key has {len(raw)} bytes, {KEY_BYTES} are needed")
    return AESSIV(raw)

"""SYSTEM. The Ed25519 key with which the control plane signs what nodes apply.

The private key is a file that only the worker (and set-up commands) read; it is created when
it is first needed. Nodes pin the public key when they are enrolled.
"""

from __future__ import annotations

import base64
import logging
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from hanode.wire import Signed
from webapp.common import env

log = logging.getLogger(__name__)


def key_path() -> Path:
    """KEEPSIGHT_SIGNING_KEY_FILE, or DATA_DIR/keys/signing.pem."""
    return Path(env.text("SIGNING_KEY_FILE", str(Path(settings.DATA_DIR) / "keys/signing.pem")))


def warn_where_it_can_be_read() -> None:
    """The web process answers strangers: it should not be able to sign what nodes apply."""
    path = key_path()
    if os.access(path, os.R_OK):
        log.warning(
            "this process can read the signing key %s and needs not: run it as another user than "
            "the worker (docs/OPERATING.md, Processes)",
            path,
        )


def signing_key() -> Ed25519PrivateKey:
    """The private key; its file is created with mode 0600 when it is first needed."""
    key = serialization.load_pem_private_key(env.secret_file(key_path(), _new_key), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{key_path()} holds no Ed25519 key; move it away and start again.")
    return key


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_key() -> str:
    """Base64 of the raw 32 bytes, as wire.Enrolment has it."""
    raw = signing_key().public_key().public_bytes_raw()
    return base64.b64encode(raw).decode()


def is_ours(envelope: Signed) -> bool:
    """Whether this control plane signed it."""
    try:
        signature = base64.b64decode(envelope.signature, validate=True)
        signing_key().public_key().verify(signature, envelope.signed_bytes())
    except (InvalidSignature, ValueError):  # a bad base64 is a ValueError
        return False
    return True


def sign(kind: str, payload: str) -> Signed:
    """The envelope of a bundle or a confirmation."""
    unsigned = Signed(kind=kind, payload=payload, signature="")
    signature = signing_key().sign(unsigned.signed_bytes())
    return Signed(kind=kind, payload=payload, signature=base64.b64encode(signature).decode())

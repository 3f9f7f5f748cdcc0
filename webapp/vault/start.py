"""DRIVER. What a process of the control plane does first: one sentence, or it goes on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from webapp.vault.keyring import VaultError
from webapp.vault.services import prepare


def ready_or_exit() -> None:
    """Check the data key. A missing or wrong one ends the process with its sentence.

    In a thread: uvicorn imports the application inside its event loop, where Django asks no
    database.
    """
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(_error).result()
    if error:
        raise SystemExit(f"keepsight: {error}")


def _error() -> str:
    try:
        prepare()
    except VaultError as error:
        return str(error)
    finally:
        connections.close_all()
    return ""

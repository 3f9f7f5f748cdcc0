"""SYSTEM. Settings from the environment, and secret files that are created when first needed."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}


def text(name: str, default: str = "") -> str:
    """The variable KEEPSIGHT_<name>, or the default if it is unset or empty."""
    return os.environ.get(f"KEEPSIGHT_{name}", "").strip() or default


def flag(name: str, default: bool) -> bool:
    """True for 1, true, yes, on."""
    return text(name, "1" if default else "0").lower() in TRUE


def number(name: str, default: float) -> float:
    """A number, of seconds or days. Raises ImproperlyConfigured."""
    raw = text(name, str(default))
    try:
        return float(raw)
    except ValueError:
        raise ImproperlyConfigured(f"KEEPSIGHT_{name} is {raw!r}; write a number.") from None


def words(name: str, default: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def state_dir() -> Path:
    """Where an installed control plane keeps its data: a place that no upgrade of it empties."""
    if os.geteuid() == 0:
        return Path("/var/lib/keepsight")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "keepsight"


def data_dir(default: Path) -> Path:
    """KEEPSIGHT_DATA_DIR or the default; made at first need. Raises ImproperlyConfigured."""
    path = Path(text("DATA_DIR", str(default))).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path}: {error.strerror}; set KEEPSIGHT_DATA_DIR to a directory that you may write."
        ) from None
    make_private(path)
    make_private(path / "keys")
    return path


FOR_OTHERS = 0o077
"""The rights of everybody but the owner."""
CONTAINER_SECRETS = Path("/run/secrets")
"""Where docker compose mounts secrets, as root's and read-only; who else is in the container?"""


def make_private(path: Path) -> None:
    """Take from a file or directory every right of group and others. A missing one is nothing.

    Whoever runs with a umask of 022, or unpacks a backup, makes files that all may read. Raises
    ImproperlyConfigured where it is another user's, whose rights we cannot change.
    """
    try:
        mode = path.stat().st_mode
        if mode & FOR_OTHERS and CONTAINER_SECRETS not in path.parents:
            path.chmod(stat.S_IMODE(mode) & ~FOR_OTHERS)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} can be read by others and is not ours to change ({error.strerror}); make it "
            f"this user's, or `chmod go-rwx {path}`."
        ) from None


def private_text(path: Path) -> str:
    """The text of a file that only its owner may read, made so first. Raises OSError."""
    make_private(path)
    return path.read_text(encoding="utf-8")


def secret_key(data_dir: Path) -> str:
    """Django's secret: KEEPSIGHT_SECRET_KEY, the file KEEPSIGHT_SECRET_KEY_FILE, or a new file."""
    if value := text("SECRET_KEY"):
        return value
    path = Path(text("SECRET_KEY_FILE", str(data_dir / "keys" / "django_secret")))
    try:
        return secret_file(path, lambda: secrets.token_urlsafe(50).encode()).decode().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path}: {error.strerror}; set KEEPSIGHT_SECRET_KEY or make it writable."
        ) from None


def secret_file(path: Path, make: Any) -> bytes:
    """The bytes of `path`; if missing, created atomically with mode 0600, by one process only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails if another process was first: its file counts
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    make_private(path)
    return path.read_bytes()


def write_secret(path: Path, content: str) -> None:
    """Replace `path` by this content, atomically, with mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def private_sqlite(database: dict[str, Any]) -> dict[str, Any]:
    """The same entry; a file of SQLite, and what lies beside it, is its owner's alone.

    Made here before SQLite makes it with the rights of the umask. Raises ImproperlyConfigured.
    """
    path = Path(str(database["NAME"]))
    if not database["ENGINE"].endswith("sqlite3") or not path.parent.is_dir():
        return database
    if not path.exists() and path.name != ":memory:":
        with contextlib.suppress(OSError):  # a place that nobody may write is told by migrate
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for suffix in ("", "-wal", "-shm", "-journal"):
        make_private(path.with_name(path.name + suffix))
    return database


def database(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for `sqlite:///FILE` or `postgresql://…`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        name = unquote(parts.path.removeprefix("/")) if parts.path else ":memory:"
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": name,
            "OPTIONS": {
                # IMMEDIATE: a second writer waits for the timeout instead of failing half-way.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    if parts.scheme in ("postgresql", "postgres"):
        query = dict(parse_qsl(parts.query))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or query.pop("user", "")),
            "PASSWORD": unquote(parts.password or query.pop("password", "")),
            "HOST": parts.hostname or query.pop("host", ""),
            "PORT": str(parts.port or query.pop("port", "")),
            "OPTIONS": query,
            "CONN_HEALTH_CHECKS": True,
        }
    raise ImproperlyConfigured(
        f"KEEPSIGHT_DATABASE_URL begins with {parts.scheme!r}; write sqlite:///FILE or postgresql://…"
    )


def with_password(url: str, password: str) -> str:
    """The URL with this password, quoted, whatever characters it has; its user stays."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    user = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def url(name: str, default: str = "") -> str:
    """The variable KEEPSIGHT_<name>_URL, with the password of KEEPSIGHT_<name>_PASSWORD if that is
    set: it needs no quoting there. A URL that cannot be read raises ImproperlyConfigured."""
    written, password = text(f"{name}_URL", default), os.environ.get(f"KEEPSIGHT_{name}_PASSWORD")
    try:
        parts = urlsplit(written)
        _ = parts.port, parts.hostname
    except ValueError:
        raise ImproperlyConfigured(
            f"KEEPSIGHT_{name}_URL cannot be read as a URL; write a password with / @ : # ? % or "
            f"brackets in it into KEEPSIGHT_{name}_PASSWORD, as it is."
        ) from None
    return with_password(written, password) if password else written


def redis_url(url: str) -> str:
    """The URL in redis-py's spelling: Celery's `redis+socket://` is its `unix://`."""
    return url.replace("redis+socket://", "unix://", 1)

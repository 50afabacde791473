"""A second place of results that several machines use: a folder, or an address that fsspec understands.

It has the layout of the cache itself, so a cache can be copied there. Nothing is ever listed, since plain web servers
cannot do that: a result's name follows from its key, and the sets of files that were found to be read, of which there
may be several for one base, are numbered from 0. Files are whole or absent. If two machines write different sets with
one number, one of them is lost: that costs a run, never a wrong result. Failures are not shared.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from d2lbuild.errors import ConfigError
from d2lbuild.files import write_atomically

__all__ = ["SharedCache"]

_WHOLE = ("memory", "s3", "s3a", "gs", "gcs", "abfs", "az", "adl", "oss", "oci", "r2")
"""Protocols under which a file that is being written is not seen before it is whole."""

_READ_ONLY = ("http", "https", "github", "zip", "tar")

_REFUSED = (401, 403)

_EXTRAS = {"http": "http", "https": "http", "s3": "s3", "s3a": "s3"}


@dataclass
class SharedCache:
    """A store of files by name, below an address. What goes wrong is told once and never fails a build.

    Raises ConfigError for an address that nobody can read, or that cannot be written although it should be.
    """

    url: str
    writable: bool = False
    warn: Callable[[str], None] = lambda _: None
    """Is told in words, perhaps from another thread, why the shared cache is not used any more."""
    usable: bool = field(default=True, init=False)
    """False after the first time that it could not be reached."""
    _system: Any = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _warned: set[str] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        scheme = self.url.partition("://")[0] if "://" in self.url else "file"
        self.protocol = scheme.rpartition("::")[2].lower() or "file"
        if self.protocol != "file":
            _check_protocol(self.protocol, self.url)
        if self.writable and self.protocol in _READ_ONLY:
            raise ConfigError(
                f"the shared cache {self} can be read, but not be written",
                hint="set `shared_cache_writable = false`, and fill it by other means, such as `d2lbuild cache export`",
            )

    def __str__(self) -> str:
        """Return the address without a password."""
        parts = urlsplit(self.url)
        return self.url.replace(f"{parts.username or ''}:{parts.password}@", "") if parts.password else self.url

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None without one, or if it cannot be read."""
        if not self.usable:
            return None
        try:
            if self.protocol == "file":
                return (self._folder / name).read_bytes()
            data = self._files().cat_file(self._address(name))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Exception as error:
            # Each protocol raises errors of its own.
            if isinstance(error, PermissionError) or getattr(error, "status", None) in _REFUSED:
                # S3 answers so for files that are not there to those who may not list a bucket.
                self._say(f"the shared cache {self} refuses to be read, at least what it lacks: {_told(error)}")
            else:
                self._give_up(error)
            return None
        return bytes(data)

    def write(self, name: str, content: bytes) -> None:
        """Keep a file, if this place may be written."""
        if not (self.writable and self.usable):
            return
        try:
            if self.protocol == "file":
                write_atomically(self._folder / name, content)
            else:
                self._put(self._address(name), content)
        except Exception as error:
            self._give_up(error)

    def _put(self, address: str, content: bytes) -> None:
        files = self._files()
        if self.protocol in _WHOLE:
            files.pipe_file(address, content)
            return
        temporary = f"{address}.{threading.get_ident():x}.part"
        files.makedirs(address.rpartition("/")[0], exist_ok=True)
        files.pipe_file(temporary, content)
        files.mv(temporary, address)

    @property
    def _folder(self) -> Path:
        path = self.url.partition("://")[2] if "://" in self.url else self.url
        return Path(path).expanduser()

    def _address(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{name}"

    def _files(self) -> Any:
        with self._lock:
            if self._system is None:
                # fsspec and its protocols take a while to import.
                from fsspec.core import url_to_fs  # noqa: PLC0415

                self._system = url_to_fs(self.url, **_limits(self.protocol))[0]
        return self._system

    def _give_up(self, error: Exception) -> None:
        self.usable = False
        extra = _EXTRAS.get(self.protocol)
        hint = f"; `pip install 'd2lbuild[{extra}]'` may help" if isinstance(error, ImportError) and extra else ""
        self._say(f"the shared cache {self} is not used: {_told(error)}{hint}")

    def _say(self, message: str) -> None:
        with self._lock:
            new = not self._warned
            self._warned.add(message)
        if new:
            self.warn(message)


def _check_protocol(protocol: str, url: str) -> None:
    from fsspec.registry import known_implementations, registry  # noqa: PLC0415

    if protocol not in known_implementations and protocol not in registry:
        raise ConfigError(
            f"the shared cache '{url}' has an unknown protocol",
            hint="it is a folder, or an address such as s3://bucket/path or https://host/path",
        )


def _limits(protocol: str) -> dict[str, Any]:
    """Return settings that keep a place which does not answer from holding up a build."""
    if protocol in ("http", "https"):
        from aiohttp import ClientTimeout  # noqa: PLC0415

        return {"client_kwargs": {"timeout": ClientTimeout(total=120, connect=10), "trust_env": True}}
    if protocol in ("s3", "s3a"):
        return {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}}}
    return {}


def _told(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__

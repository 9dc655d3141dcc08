"""A stand-in for ``oss2``, the library with which ModelScope's client fetches archives of data.

The real one only speaks TLS to hosts of its maker, and is no dependency of this project. This has
what ModelScope calls to fetch files, under the names of the real one, and asks the stand-in Hub.
"""

import os
import shutil
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from oss2.credentials import Credentials

__all__ = [
    "Bucket",
    "CredentialsProvider",
    "ProviderAuthV4",
    "ResumableDownloadStore",
    "ResumableStore",
    "resumable_download",
]


class CredentialsProvider:
    """What `ProviderAuthV4` asks for keys."""

    def get_credentials(self) -> Credentials:
        """Keys that are valid now."""
        raise NotImplementedError


class ProviderAuthV4:
    """Keys for each request."""

    def __init__(self, credentials_provider: CredentialsProvider) -> None:
        self.provider = credentials_provider


class ResumableStore:
    """Where the real library notes how far it came."""

    def __init__(self, root: str | None = None) -> None:
        self.root = root


class ResumableDownloadStore(ResumableStore):
    """The same, for downloads."""


class Bucket:
    """The files under one name of the storage."""

    def __init__(self, auth: ProviderAuthV4, endpoint: str, bucket_name: str, region: str) -> None:
        if not endpoint.startswith("https://"):
            raise ValueError(f"expected an address with https, got {endpoint}")
        self.auth = auth
        self.bucket_name = bucket_name
        self.region = region

    def open(self, key: str, method: str = "GET") -> Any:  # noqa: ANN401
        """Ask for a file, with the keys that the Hub gave out."""
        keys = self.auth.provider.get_credentials()
        address = f"{os.environ['MODELSCOPE_ENDPOINT']}/storage/{self.bucket_name}/{quote(key)}"
        headers = {"Authorization": f"{keys.access_key_id} {keys.security_token}"}
        return urlopen(Request(address, method=method, headers=headers))  # noqa: S310

    def object_exists(self, key: str) -> bool:
        """Whether there is such a file."""
        try:
            self.open(key, "HEAD").close()
        except HTTPError as error:
            if error.code == 404:
                return False
            raise
        return True


def resumable_download(
    bucket: Bucket,
    key: str,
    filename: str,
    *,
    store: ResumableDownloadStore,
    multiget_threshold: int,
    part_size: int,
    progress_callback: Callable[[int, int], None],
    num_threads: int,
) -> None:
    """Fetch a file in one go."""
    del store, multiget_threshold, part_size, num_threads
    with bucket.open(key) as source, open(filename, "wb") as target:  # noqa: PTH123
        shutil.copyfileobj(source, target)
        progress_callback(target.tell(), target.tell())

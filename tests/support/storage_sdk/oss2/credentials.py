"""Keys to the storage."""

from dataclasses import dataclass

__all__ = ["Credentials"]


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Keys that the Hub gives out for a while."""

    access_key_id: str
    access_key_secret: str
    security_token: str

"""The error tree: every error that msvsr raises on purpose.

Each error carries one string that says what was expected, what came and what to do. It stays one
string because ModelScope re-raises errors as ``type(error)(message)``.
"""

__all__ = [
    "CheckpointError",
    "ConfigError",
    "InputError",
    "MsvsrError",
    "ShapeError",
    "VideoError",
]


class MsvsrError(Exception):
    """Base of every error that msvsr raises on purpose."""


class InputError(MsvsrError, ValueError):
    """A value that was passed in cannot be used."""


class ShapeError(InputError):
    """A tensor or array has a shape that cannot be used."""


class ConfigError(MsvsrError, ValueError):
    """A configuration file or an option has a wrong value."""


class CheckpointError(MsvsrError, ValueError):
    """A weights file is damaged or belongs to another network."""


class VideoError(MsvsrError, OSError):
    """A video, an image folder or a stream cannot be read or written."""

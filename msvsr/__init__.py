"""Real-world video super-resolution and frame interpolation, as a ModelScope plugin and a library.

Importing this package is enough for ModelScope to serve its tasks with the classes of
`msvsr.plugin`, whether ModelScope was imported before or comes later. It loads neither torch, NumPy
nor ModelScope; the public names below are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from msvsr.plugin.activation import activate

if TYPE_CHECKING:
    from msvsr.app.classic import classic_video
    from msvsr.app.enhance import enhance_video
    from msvsr.app.interpolate import interpolate_video
    from msvsr.app.jobs import Progress, VideoReport
    from msvsr.app.upscale import upscale_video
    from msvsr.engine.options import EngineOptions, InterpolationOptions
    from msvsr.errors import MsvsrError
    from msvsr.models.catalog import find_model_folder
    from msvsr.models.raft_interpolation import RaftInterpolation
    from msvsr.models.realbasicvsr import RealBasicVSR
    from msvsr.video import OutputOptions, SourceOptions

__version__ = "0.1.0"

__all__ = [
    "EngineOptions",
    "InterpolationOptions",
    "MsvsrError",
    "OutputOptions",
    "Progress",
    "RaftInterpolation",
    "RealBasicVSR",
    "SourceOptions",
    "VideoReport",
    "__version__",
    "classic_video",
    "enhance_video",
    "find_model_folder",
    "interpolate_video",
    "upscale_video",
]

_HOMES = {
    "EngineOptions": "msvsr.engine.options",
    "InterpolationOptions": "msvsr.engine.options",
    "MsvsrError": "msvsr.errors",
    "OutputOptions": "msvsr.video",
    "Progress": "msvsr.app.jobs",
    "RaftInterpolation": "msvsr.models.raft_interpolation",
    "RealBasicVSR": "msvsr.models.realbasicvsr",
    "SourceOptions": "msvsr.video",
    "VideoReport": "msvsr.app.jobs",
    "classic_video": "msvsr.app.classic",
    "enhance_video": "msvsr.app.enhance",
    "find_model_folder": "msvsr.models.catalog",
    "interpolate_video": "msvsr.app.interpolate",
    "upscale_video": "msvsr.app.upscale",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'msvsr' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})


activate()

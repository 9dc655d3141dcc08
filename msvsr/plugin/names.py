"""The names that ModelScope knows, and which module of ours serves each.

A new class needs one line in `REGISTRATIONS`, and the decorator `msvsr.plugin.registering.register`
with the same signature.
"""

from typing import Final

__all__ = [
    "DEFAULT_PIPELINES",
    "HUB_IDS",
    "PREPROCESSOR_OF_MODEL",
    "REGISTRATIONS",
    "SUPER_RESOLUTION_MODEL",
    "SUPER_RESOLUTION_PIPELINE",
    "SUPER_RESOLUTION_PREPROCESSOR",
    "SUPER_RESOLUTION_TASK",
    "VISION_FIELD",
    "Signature",
]

Signature = tuple[str, str, str]
"""Registry, group (a task, or a field for preprocessors) and name, as in ModelScope's index."""

SUPER_RESOLUTION_TASK: Final = "video-super-resolution"
SUPER_RESOLUTION_MODEL: Final = "real-basicvsr"
SUPER_RESOLUTION_PIPELINE: Final = "realbasicvsr-video-super-resolution"
SUPER_RESOLUTION_PREPROCESSOR: Final = "video-super-resolution-preprocessor"

VISION_FIELD: Final = "cv"
"""Group of the preprocessors of all vision tasks."""

REGISTRATIONS: Final[dict[Signature, str]] = {
    ("MODELS", SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_MODEL): (
        "msvsr.plugin.super_resolution.model"
    ),
    ("PREPROCESSORS", VISION_FIELD, SUPER_RESOLUTION_PREPROCESSOR): (
        "msvsr.plugin.super_resolution.preprocessor"
    ),
    ("PIPELINES", SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_PIPELINE): (
        "msvsr.plugin.super_resolution.pipeline"
    ),
}
"""Module that holds the class of each signature; it is imported when the class is first asked."""

PREPROCESSOR_OF_MODEL: Final[dict[tuple[str, str], str]] = {
    (SUPER_RESOLUTION_MODEL, SUPER_RESOLUTION_TASK): SUPER_RESOLUTION_PREPROCESSOR,
}
"""Preprocessor of a model type and task, where the configuration names none."""

DEFAULT_PIPELINES: Final[dict[str, str]] = {
    SUPER_RESOLUTION_TASK: SUPER_RESOLUTION_PIPELINE,
}
"""Pipeline of each task for which the embedded model is the default."""

HUB_IDS: Final[dict[str, str]] = {
    "realbasicvsr_x4": "damo/cv_realbasicvsr_video-super-resolution_videolq",
}
"""Where the Hub keeps the weights of the shipped model folders that have none."""

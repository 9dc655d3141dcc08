"""The names that ModelScope knows, and which module of ours serves each.

A new class needs one line in `REGISTRATIONS`, and the decorator `msvsr.plugin.registering.register`
with the same signature.
"""

from typing import Final

__all__ = [
    "DATASET_MODULES",
    "DEFAULT_GROUP",
    "DEFAULT_PIPELINES",
    "DEFAULT_TRAINER",
    "FRAME_INTERPOLATION_METRIC",
    "FRAME_INTERPOLATION_MODEL",
    "FRAME_INTERPOLATION_PIPELINE",
    "FRAME_INTERPOLATION_PREPROCESSOR",
    "FRAME_INTERPOLATION_TASK",
    "FRAME_INTERPOLATION_TRAINER",
    "HUB_IDS",
    "NIQE_HOOK",
    "PREPROCESSOR_OF_MODEL",
    "REGISTRATIONS",
    "SUPER_RESOLUTION_METRIC",
    "SUPER_RESOLUTION_MODEL",
    "SUPER_RESOLUTION_PIPELINE",
    "SUPER_RESOLUTION_PREPROCESSOR",
    "SUPER_RESOLUTION_TASK",
    "SUPER_RESOLUTION_TRAINER",
    "TRAINER_OF_TASK",
    "VISION_FIELD",
    "Signature",
]

Signature = tuple[str, str, str]
"""Registry, group (a task, or a field for preprocessors) and name, as in ModelScope's index."""

SUPER_RESOLUTION_TASK: Final = "video-super-resolution"
SUPER_RESOLUTION_MODEL: Final = "real-basicvsr"
SUPER_RESOLUTION_PIPELINE: Final = "realbasicvsr-video-super-resolution"
SUPER_RESOLUTION_PREPROCESSOR: Final = "video-super-resolution-preprocessor"
SUPER_RESOLUTION_TRAINER: Final = "video-super-resolution"
SUPER_RESOLUTION_METRIC: Final = "video-super-resolution-metric"

FRAME_INTERPOLATION_TASK: Final = "video-frame-interpolation"
FRAME_INTERPOLATION_MODEL: Final = "video-frame-interpolation"
FRAME_INTERPOLATION_PIPELINE: Final = "video-frame-interpolation"
FRAME_INTERPOLATION_PREPROCESSOR: Final = "video-frame-interpolation-preprocessor"
FRAME_INTERPOLATION_TRAINER: Final = "video-frame-interpolation"
FRAME_INTERPOLATION_METRIC: Final = "video-frame-interpolation-metric"

DEFAULT_TRAINER: Final = "trainer"
"""What ``build_trainer`` builds when nobody names a trainer."""

NIQE_HOOK: Final = "NiqeEvaluationHook"

VISION_FIELD: Final = "cv"
"""Group of the preprocessors of all vision tasks."""

DEFAULT_GROUP: Final = "default"
"""Group of what ModelScope does not sort by task: trainers, metrics, hooks."""

_SUPER_RESOLUTION = "msvsr.plugin.super_resolution"
_FRAME_INTERPOLATION = "msvsr.plugin.frame_interpolation"

REGISTRATIONS: Final[dict[Signature, str]] = {
    ("MODELS", SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_MODEL): f"{_SUPER_RESOLUTION}.model",
    ("PREPROCESSORS", VISION_FIELD, SUPER_RESOLUTION_PREPROCESSOR): (
        f"{_SUPER_RESOLUTION}.preprocessor"
    ),
    ("PIPELINES", SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_PIPELINE): (
        f"{_SUPER_RESOLUTION}.pipeline"
    ),
    ("MODELS", FRAME_INTERPOLATION_TASK, FRAME_INTERPOLATION_MODEL): (
        f"{_FRAME_INTERPOLATION}.model"
    ),
    ("PREPROCESSORS", VISION_FIELD, FRAME_INTERPOLATION_PREPROCESSOR): (
        f"{_FRAME_INTERPOLATION}.preprocessor"
    ),
    ("PIPELINES", FRAME_INTERPOLATION_TASK, FRAME_INTERPOLATION_PIPELINE): (
        f"{_FRAME_INTERPOLATION}.pipeline"
    ),
    # ModelScope names data sets after the model that they are for.
    ("CUSTOM_DATASETS", SUPER_RESOLUTION_TASK, SUPER_RESOLUTION_MODEL): (
        f"{_SUPER_RESOLUTION}.dataset"
    ),
    ("CUSTOM_DATASETS", FRAME_INTERPOLATION_TASK, FRAME_INTERPOLATION_MODEL): (
        f"{_FRAME_INTERPOLATION}.dataset"
    ),
    ("METRICS", DEFAULT_GROUP, SUPER_RESOLUTION_METRIC): f"{_SUPER_RESOLUTION}.metric",
    ("METRICS", DEFAULT_GROUP, FRAME_INTERPOLATION_METRIC): f"{_FRAME_INTERPOLATION}.metric",
    ("TRAINERS", DEFAULT_GROUP, SUPER_RESOLUTION_TRAINER): f"{_SUPER_RESOLUTION}.trainer",
    ("TRAINERS", DEFAULT_GROUP, FRAME_INTERPOLATION_TRAINER): f"{_FRAME_INTERPOLATION}.trainer",
    # The cards name no trainer; for models that are not ours this one builds ModelScope's own.
    ("TRAINERS", DEFAULT_GROUP, DEFAULT_TRAINER): "msvsr.plugin.default_trainer",
    ("HOOKS", DEFAULT_GROUP, NIQE_HOOK): f"{_SUPER_RESOLUTION}.niqe_hook",
    # A model of the other task: ModelScope goes by the pipeline that it names. These explain it.
    ("PIPELINES", SUPER_RESOLUTION_TASK, FRAME_INTERPOLATION_PIPELINE): (
        f"{_SUPER_RESOLUTION}.pipeline"
    ),
    ("PIPELINES", FRAME_INTERPOLATION_TASK, SUPER_RESOLUTION_PIPELINE): (
        f"{_FRAME_INTERPOLATION}.pipeline"
    ),
}
"""Module that holds the class of each signature; it is imported when that is first asked for."""

_TASK_DATASETS = "modelscope.msdatasets.task_datasets"

DATASET_MODULES: Final[dict[str, dict[str, str]]] = {
    _TASK_DATASETS: {},
    f"{_TASK_DATASETS}.video_super_resolution": {
        "VideoSuperResolutionDataset": f"{_SUPER_RESOLUTION}.dataset"
    },
    f"{_TASK_DATASETS}.video_frame_interpolation": {
        "VideoFrameInterpolationDataset": f"{_FRAME_INTERPOLATION}.dataset"
    },
}
"""Modules that the official model cards import from, whether ModelScope still has them or not: the
names that we put there, and our module that holds each."""

PREPROCESSOR_OF_MODEL: Final[dict[tuple[str, str], str]] = {
    (SUPER_RESOLUTION_MODEL, SUPER_RESOLUTION_TASK): SUPER_RESOLUTION_PREPROCESSOR,
    (FRAME_INTERPOLATION_MODEL, FRAME_INTERPOLATION_TASK): FRAME_INTERPOLATION_PREPROCESSOR,
}
"""Preprocessor of a model type and task, where the configuration names none."""

DEFAULT_PIPELINES: Final[dict[str, str]] = {
    SUPER_RESOLUTION_TASK: SUPER_RESOLUTION_PIPELINE,
    FRAME_INTERPOLATION_TASK: FRAME_INTERPOLATION_PIPELINE,
}
"""Pipeline of each task for which the embedded model is the default."""

TRAINER_OF_TASK: Final[dict[str, str]] = {
    SUPER_RESOLUTION_TASK: SUPER_RESOLUTION_TRAINER,
    FRAME_INTERPOLATION_TASK: FRAME_INTERPOLATION_TRAINER,
}
"""Trainer of the models of each task."""

HUB_IDS: Final[dict[str, str]] = {
    "raft_interpolation_practical": "damo/cv_raft_video-frame-interpolation_practical",
    "realbasicvsr_x4": "damo/cv_realbasicvsr_video-super-resolution_videolq",
}
"""Where the Hub keeps the weights of the shipped model folders that have none."""

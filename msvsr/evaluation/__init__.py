"""Scores of models on real clips: protocols, streaming evaluation, reports.

`evaluate_super_resolution` and `evaluate_interpolation` run a method (a model or a plain one to
compare with) over data under one or several protocols and return an `EvaluationReport`.
"""

from msvsr.evaluation.interpolation import evaluate_interpolation
from msvsr.evaluation.interpolation_methods import Blend, InterpolatorMethod
from msvsr.evaluation.methods import InterpolationMethod, UpscalingMethod
from msvsr.evaluation.model_description import ModelDescription, describe_model, describe_weights
from msvsr.evaluation.options import EvaluationOptions, EvaluationProgress
from msvsr.evaluation.protocols import (
    INTERPOLATION_PROTOCOLS,
    SUPER_RESOLUTION_PROTOCOLS,
    EvaluationProtocol,
    find_protocols,
)
from msvsr.evaluation.report import EvaluationReport
from msvsr.evaluation.results import ClipScores, ProtocolResult
from msvsr.evaluation.super_resolution import evaluate_super_resolution
from msvsr.evaluation.upscaling_methods import AsIs, Bicubic, ModelMethod

__all__ = [
    "INTERPOLATION_PROTOCOLS",
    "SUPER_RESOLUTION_PROTOCOLS",
    "AsIs",
    "Bicubic",
    "Blend",
    "ClipScores",
    "EvaluationOptions",
    "EvaluationProgress",
    "EvaluationProtocol",
    "EvaluationReport",
    "InterpolationMethod",
    "InterpolatorMethod",
    "ModelDescription",
    "ModelMethod",
    "ProtocolResult",
    "UpscalingMethod",
    "describe_model",
    "describe_weights",
    "evaluate_interpolation",
    "evaluate_super_resolution",
    "find_protocols",
]

"""Every step by name, and what there is to say about it."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import get_type_hints

from msvsr.classical.contrast import Clahe, EqualizeHistogram
from msvsr.classical.edges import Canny, Sobel
from msvsr.classical.scaling import Scale
from msvsr.classical.sharpening import Laplacian, UnsharpMask
from msvsr.classical.smoothing import Bilateral, Gaussian, Mean, Median, NonLocalMeans
from msvsr.classical.step import Limits, Step, choices_of, limits_of

__all__ = ["ALIASES", "STEPS", "Alias", "Parameter", "StepDescription", "describe_steps"]

STEPS: Mapping[str, type[Step]] = {
    kind.name: kind
    for kind in (
        UnsharpMask,
        Laplacian,
        NonLocalMeans,
        Bilateral,
        Median,
        Gaussian,
        Mean,
        Scale,
        Clahe,
        EqualizeHistogram,
        Sobel,
        Canny,
    )
}
"""The steps by their own names."""


@dataclass(frozen=True, kw_only=True)
class Alias:
    """Another name of a step.

    Attributes:
        kind: The step.
        preset: Parameters that this name decides.
    """

    kind: type[Step]
    preset: Mapping[str, str] = field(default_factory=dict)


ALIASES: Mapping[str, Alias] = {
    "sharpen": Alias(kind=UnsharpMask),
    "denoise": Alias(kind=NonLocalMeans),
    "upscale": Alias(kind=Scale),
    **{
        method: Alias(kind=Scale, preset={"method": method})
        for method in ("nearest", "bilinear", "bicubic", "lanczos", "area")
    },
}
"""Further names of steps."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a step can be asked.

    Attributes:
        name: Its name.
        default: Its value when nobody says.
        kind: Type of its values: ``float``, ``int`` or ``str``.
        limits: What a number may be; ``None`` with ``choices``.
        choices: The values to choose from; none for a number.
        explanation: What it means.
    """

    name: str
    default: float | str
    kind: type[float] | type[int] | type[str]
    limits: Limits | None
    choices: tuple[str | int, ...]
    explanation: str

    def __str__(self) -> str:
        """Its values in words."""
        if self.limits is None:
            return ", ".join(map(str, self.choices))
        return str(self.limits)


@dataclass(frozen=True, kw_only=True)
class StepDescription:
    """What there is to say about a step.

    Attributes:
        name: Its own name.
        aliases: Its other names that decide nothing.
        presets: Names that decide a parameter, with that parameter.
        explanation: What it does.
        parameters: What it can be asked.
    """

    name: str
    aliases: tuple[str, ...]
    presets: Mapping[str, Mapping[str, str]]
    explanation: str
    parameters: tuple[Parameter, ...]


def describe_steps() -> tuple[StepDescription, ...]:
    """Describe every step, in the words of its own documentation."""
    return tuple(_describe(name, kind) for name, kind in STEPS.items())


def _describe(name: str, kind: type[Step]) -> StepDescription:
    named = {alias: entry for alias, entry in ALIASES.items() if entry.kind is kind}
    text = inspect.getdoc(kind) or ""
    explanation = re.split(r"\n\n(?:Attributes|Source):\n", text)[0]
    return StepDescription(
        name=name,
        aliases=tuple(alias for alias, entry in named.items() if not entry.preset),
        presets={alias: entry.preset for alias, entry in named.items() if entry.preset},
        explanation=" ".join(explanation.replace("``", "").split()),
        parameters=_parameters(kind, _explained_attributes(text)),
    )


def _parameters(kind: type[Step], explanations: Mapping[str, str]) -> tuple[Parameter, ...]:
    hints, defaults = get_type_hints(kind), kind()
    return tuple(
        Parameter(
            name=entry.name,
            default=getattr(defaults, entry.name),
            kind=type(getattr(defaults, entry.name)),
            limits=limits_of(entry),
            choices=choices_of(hints[entry.name]),
            explanation=explanations.get(entry.name, ""),
        )
        for entry in fields(kind)
    )


def _explained_attributes(text: str) -> dict[str, str]:
    """The entries of the section ``Attributes`` of a docstring."""
    section = re.search(r"^Attributes:\n((?:    .*\n?)+)", text, re.MULTILINE)
    entries = re.split(r"^    (?=\w+: )", section[1], flags=re.MULTILINE)[1:] if section else []
    split = (entry.partition(": ") for entry in entries)
    return {name: " ".join(words.split()) for name, _, words in split}

"""Methods that make clips larger: models, and plain ones that stand beside them."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import asdict, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import torch
import torch.nn.functional as F

from msvsr.engine.images import to_image, to_tensor
from msvsr.engine.options import EngineOptions
from msvsr.engine.upscale import upscale_frames
from msvsr.errors import ConfigError
from msvsr.evaluation.distributed import device_of_process
from msvsr.evaluation.methods import LoadedModels, PlainMethod, Rendering
from msvsr.evaluation.model_description import ModelDescription, describe_model
from msvsr.evaluation.protocols import EvaluationProtocol
from msvsr.frame import Frame, ImageArray
from msvsr.models.contract import RecurrentUpscaler
from msvsr.models.devices import choose_device
from msvsr.models.realbasicvsr import RealBasicVSR
from msvsr.video.color import to_uint16

__all__ = ["AsIs", "Bicubic", "ModelMethod"]

_CLOCK = Fraction(1, 25)


class ModelMethod:
    """A super-resolution model behind the engine.

    Args:
        load: Gives the model in a type (``float32``, ``float16`` or ``bfloat16``); called once for
            each that is needed.
        description: Which model it is.
        device: Name of the device that ``load`` puts it on, see `choose_device`.
        dtype: Name of the type where a protocol does not say, see `choose_dtype`.
        engine: How clips are cut into pieces where a protocol does not say.
    """

    def __init__(
        self,
        load: Callable[[str], RecurrentUpscaler],
        description: ModelDescription,
        *,
        device: str | torch.device = "auto",
        dtype: str = "auto",
        engine: EngineOptions | None = None,
    ) -> None:
        self._loaded = LoadedModels(load, device=device, dtype=dtype)
        self._engine = engine or EngineOptions()
        self.name = description.name
        self.description: ModelDescription | None = description
        self.device = str(self._loaded.device)

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        *,
        device: str | torch.device = "auto",
        dtype: str = "auto",
        engine: EngineOptions | None = None,
    ) -> "ModelMethod":
        """Evaluate a model folder, whose weights are read when they are needed.

        Of several processes with GPUs, each takes its own.

        Raises:
            ConfigError: The configuration, the device or the type is wrong.
            CheckpointError: There are no weights.
        """
        chosen = choose_device(device_of_process(str(device)))

        def load(name: str) -> RecurrentUpscaler:
            return RealBasicVSR.from_folder(folder, device=chosen, dtype=name)

        return cls(load, describe_model(folder), device=chosen, dtype=dtype, engine=engine)

    def settings(self) -> dict[str, object]:
        """The engine's options, without the one that has no influence on the result."""
        return {k: v for k, v in asdict(self._engine).items() if k != "memory_gib"}

    def rendering(self, protocol: EvaluationProtocol) -> Rendering:
        """How it makes frames under a protocol."""
        return Rendering(
            dtype=self._loaded.dtype_for(protocol),
            window=protocol.window,
            is_deep=not protocol.rounds_to_8_bits,
        )

    def upscale(
        self, images: Iterable[ImageArray], rendering: Rendering
    ) -> Generator[ImageArray, None, None]:
        """Make the output of a clip's frames, one for each, while they stream by."""
        model = self._loaded.model(rendering.dtype)
        deep = (to_uint16(image) if rendering.is_deep else image for image in images)
        frames = (Frame(image=im, pts=number, time_base=_CLOCK) for number, im in enumerate(deep))
        if rendering.window is None:
            for made in upscale_frames(frames, model, self._engine):
                yield made.image
            return
        engine = replace(self._engine, max_frames=None, detect_cuts=False, refine_scope="shot")
        for first in frames:  # each window is a video of its own, refinement included
            window = chain((first,), islice(frames, rendering.window - 1))
            for made in upscale_frames(window, model, engine):
                yield made.image


class AsIs(PlainMethod):
    """The frames of the data as they are: what there is to improve on, or made elsewhere."""

    name = "none"

    def upscale(
        self, images: Iterable[ImageArray], rendering: Rendering
    ) -> Generator[ImageArray, None, None]:
        """Pass the frames on."""
        del rendering
        yield from images


class Bicubic(PlainMethod):
    """Bicubic interpolation to a multiple of the size, with the kernel of MATLAB's ``imresize``.

    Args:
        scale: Side of the output over side of the input.
    """

    def __init__(self, scale: int = 4) -> None:
        if isinstance(scale, bool) or not isinstance(scale, int) or scale < 1:
            raise ConfigError(f"scale must be a whole number of at least 1, got {scale!r}")
        self._scale = scale
        self.name = f"bicubic-x{scale}"

    def settings(self) -> dict[str, object]:
        """The scale."""
        return {"scale": self._scale}

    def rendering(self, protocol: EvaluationProtocol) -> Rendering:
        """The same under every protocol but for the depth."""
        return Rendering(is_deep=not protocol.rounds_to_8_bits)

    def upscale(
        self, images: Iterable[ImageArray], rendering: Rendering
    ) -> Generator[ImageArray, None, None]:
        """Enlarge frame by frame."""
        for image in images:
            tensor = to_tensor(image, torch.device("cpu"))[None]
            large = F.interpolate(
                tensor, scale_factor=self._scale, mode="bicubic", antialias=True
            )  # with antialias, the cubic's parameter is -0.5 as in MATLAB; without, -0.75
            yield to_image(large[0], "uint16" if rendering.is_deep else image.dtype)

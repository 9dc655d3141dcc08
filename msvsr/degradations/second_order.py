"""Second-order degradations of a clip, as RealBasicVSR is trained with."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from msvsr.degradations.checks import check_sides
from msvsr.degradations.compression import (
    Jpeg,
    JpegSample,
    VideoBitRate,
    VideoBitRateSample,
    quantize,
)
from msvsr.degradations.mixed_blur import BlurSample, MixedBlur
from msvsr.degradations.noise import Noise, NoiseSample
from msvsr.degradations.rescale import Rescale, RescaleSample
from msvsr.degradations.resize import resize_frames
from msvsr.degradations.second_order_config import (
    FirstRoundConfig,
    SecondOrderConfig,
    SecondRoundConfig,
)
from msvsr.degradations.types import ByteClip, Frames
from msvsr.degradations.walk import without_steps

Streams: TypeAlias = list[np.random.Generator]

__all__ = ["RoundSample", "SecondOrderDegrader", "SecondOrderSample"]

_NUM_STREAMS = 12


@dataclass(frozen=True, kw_only=True)
class RoundSample:
    """What one round does to a clip; ``None`` stands for an operator that is not applied.

    Attributes:
        blur: The kernels.
        resize: The sizes.
        noise: Kind and strengths of the noise.
        jpeg: The qualities.
    """

    blur: BlurSample | None
    resize: RescaleSample | None
    noise: NoiseSample | None
    jpeg: JpegSample | None


@dataclass(frozen=True, kw_only=True)
class SecondOrderSample:
    """All that is drawn for one clip, but for the noise itself.

    Attributes:
        first: The first round.
        first_video: The video compression that ends it.
        second: The second round.
        is_video_first: The last video compression comes before the resize to the target size.
        final_mode: Interpolation of that resize.
        final_blur: The sinc filter that follows it.
        final_video: The last video compression.
    """

    first: RoundSample
    first_video: VideoBitRateSample | None
    second: RoundSample
    is_video_first: bool
    final_mode: str
    final_blur: BlurSample | None
    final_video: VideoBitRateSample | None


class SecondOrderDegrader:
    """Degrades a clip twice, as its way from a camera over several platforms would.

    First round: blur, resize, noise, JPEG, video compression. Second round: blur, resize, noise,
    JPEG. Then, in random order, video compression and the resize to the target size with a sinc
    filter.

    Each operator draws from a random stream of its own. So the same seed gives the remaining
    operators the same parameters when one is left out, and the same first values when parameters
    do not walk.

    Where the code that RealBasicVSR was trained with lets values wrap around, truncates them to 8
    bits, or gives red and blue to JPEG in the wrong order, this clips, rounds, and does not.

    Args:
        config: What is drawn.

    Example:
        >>> clip = np.zeros((2, 32, 48, 3), dtype=np.uint8)
        >>> SecondOrderDegrader(SecondOrderConfig())(clip, np.random.default_rng(0)).shape
        (2, 8, 12, 3)
    """

    def __init__(self, config: SecondOrderConfig) -> None:
        self.config = config
        first, second, final = config.first, config.second, config.final
        self._first = _Round(first, stochastic=config.stochastic)
        self._first_video = VideoBitRate(first.video)
        self._second = _Round(second, stochastic=config.stochastic)
        self._final_blur = MixedBlur(final.blur if config.stochastic else without_steps(final.blur))
        self._final_video = VideoBitRate(final.video)

    def sample(self, num_frames: int, rng: np.random.Generator) -> SecondOrderSample:
        """Draw what the call with the same state of ``rng`` does to a clip, without doing it.

        Args:
            num_frames: Length of the clip.
            rng: Source of randomness.

        Returns:
            The parameters.
        """
        *rounds, first_video, order, final_blur, final_video = _split(rng)
        is_video_first, mode = self._draw_order(order)
        return SecondOrderSample(
            first=self._first.sample(num_frames, rounds[:4]),
            first_video=self._first_video.sample(num_frames, first_video),
            second=self._second.sample(num_frames, rounds[4:]),
            is_video_first=is_video_first,
            final_mode=mode,
            final_blur=self._final_blur.sample(num_frames, final_blur),
            final_video=self._final_video.sample(num_frames, final_video),
        )

    def _draw_order(self, rng: np.random.Generator) -> tuple[bool, str]:
        final = self.config.final
        return bool(rng.random() < final.video_first_probability), str(rng.choice(final.modes))

    def __call__(self, clip: ByteClip, rng: np.random.Generator) -> ByteClip:
        """Degrade one clip.

        Args:
            clip: Ground truth, ``(t, h, w, 3)``, RGB uint8; sides divisible by the scale.
            rng: Source of randomness; the same state gives the same result.

        Returns:
            The low-quality clip, ``(t, h / scale, w / scale, 3)``, RGB uint8.

        Raises:
            ShapeError: A side cannot be divided by the scale.
            VideoError: A video encoder is missing from this build of FFmpeg.
        """
        scale = self.config.scale
        height, width = clip.shape[1:3]
        check_sides((height, width), scale)
        *rounds, first_video, order, final_blur, final_video = _split(rng)
        is_video_first, mode = self._draw_order(order)
        lq: Frames = list(clip.astype(np.float32) / np.float32(255))
        lq = self._first_video(self._first(lq, rounds[:4]), first_video)
        lq = self._second(lq, rounds[4:])
        if is_video_first:
            lq = self._final_video(lq, final_video)
        lq = resize_frames(lq, (height // scale, width // scale), mode)
        lq = self._final_blur(lq, final_blur)
        if not is_video_first:
            lq = self._final_video(lq, final_video)
        return quantize(np.stack(lq))


class _Round:
    """Blur, resize, noise and JPEG, each with its own stream."""

    def __init__(self, config: FirstRoundConfig | SecondRoundConfig, *, stochastic: bool) -> None:
        blur, resize, noise, jpeg = config.blur, config.resize, config.noise, config.jpeg
        if not stochastic:
            blur, resize, noise, jpeg = (
                without_steps(blur),
                without_steps(resize),
                without_steps(noise),
                without_steps(jpeg),
            )
        self.blur = MixedBlur(blur)
        self.resize = Rescale(resize)
        self.noise = Noise(noise)
        self.jpeg = Jpeg(jpeg)

    def sample(self, num_frames: int, streams: Streams) -> RoundSample:
        blur, resize, noise, jpeg = streams
        return RoundSample(
            blur=self.blur.sample(num_frames, blur),
            resize=self.resize.sample(num_frames, resize),
            noise=self.noise.sample(num_frames, noise),
            jpeg=self.jpeg.sample(num_frames, jpeg),
        )

    def __call__(self, frames: Frames, streams: Streams) -> Frames:
        blur, resize, noise, jpeg = streams
        frames = self.resize(self.blur(frames, blur), resize)
        return self.jpeg(self.noise(frames, noise), jpeg)


def _split(rng: np.random.Generator) -> Streams:
    """A stream for each operator: four per round, two videos, the final order and blur."""
    seeds = rng.integers(2**63, size=_NUM_STREAMS)
    return [np.random.default_rng(int(seed)) for seed in seeds]

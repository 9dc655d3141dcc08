"""Clips through real video encoders."""

import numpy as np
import pytest

from msvsr.degradations.compression import VideoBitRate, VideoBitRateConfig
from msvsr.degradations.encoding import CODECS, BitRate, FixedQuality, encode_and_decode
from msvsr.degradations.types import ByteClip
from msvsr.errors import VideoError


def waves(num_frames: int = 7, height: int = 32, width: int = 48) -> ByteClip:
    """A moving texture, RGB uint8."""
    y, x = np.mgrid[:height, :width]
    frames = [
        np.stack([128 + 100 * np.sin(x / 3 + t), 128 + 100 * np.cos(y / 4 + t), 5 * x], -1)
        for t in range(num_frames)
    ]
    return np.stack(frames).astype(np.uint8)


def noise(num_frames: int = 4, side: int = 64, deviation: float = 20.0) -> ByteClip:
    values = np.random.default_rng(0).normal(128, deviation, (num_frames, side, side, 3))
    return values.round().clip(0, 255).astype(np.uint8)


def ramp(num_frames: int = 4, side: int = 64) -> ByteClip:
    y, x = np.mgrid[:side, :side] * (220 / side)
    frame = np.stack([16 + x, 16 + y, 16 + (x + y) / 2], -1)
    return np.repeat(frame.round().astype(np.uint8)[None], num_frames, axis=0)


@pytest.mark.parametrize(("codec", "good", "bad"), [("libx264", 10, 40), ("mpeg4", 1, 20)])
@pytest.mark.parametrize("size", [(32, 48), (33, 47)])
def test_video_codec_returns_every_frame_in_order(
    codec: str, good: int, bad: int, size: tuple[int, int]
) -> None:
    clip = waves(7, *size)
    fine = encode_and_decode(clip, codec, FixedQuality(value=good))
    assert fine.shape == clip.shape
    errors = np.abs(fine.astype(int) - clip).mean(axis=(1, 2, 3))
    # 4:2:0 chroma alone costs a few grey levels here; frames in a wrong order cost 40.
    assert errors.max() < 12
    coarse = encode_and_decode(clip, codec, FixedQuality(value=bad))
    assert np.abs(coarse.astype(int) - clip).mean() > errors.mean()


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("clip", [noise(), ramp()], ids=["noise", "ramp"])
def test_video_codec_neither_darkens_nor_tints(codec: str, clip: ByteClip) -> None:
    decoded = encode_and_decode(clip, codec, FixedQuality(value=1))
    shift = (decoded.astype(float) - clip).mean(axis=(0, 1, 2))
    # swscale's fast path was 1.0 to 1.4 grey levels darker in each channel.
    assert np.abs(shift).max() < 0.3
    assert abs(shift.mean()) < 0.1


@pytest.mark.parametrize("codec", CODECS)
def test_lower_bit_rate_loses_more(codec: str) -> None:
    clip = noise(8)
    errors = [
        np.abs(
            encode_and_decode(clip, codec, BitRate(bits_per_second=rate)).astype(int) - clip
        ).mean()
        for rate in (200_000, 20_000, 2_000)
    ]
    assert errors == sorted(errors)
    # mpeg4's coarsest quantiser comes soon; its range of errors is the narrowest.
    assert errors[0] < 0.95 * errors[-1]


def test_bit_rate_is_shared_by_the_frames_of_a_second() -> None:
    clip = noise(8)
    error = {
        frame_rate: np.abs(
            encode_and_decode(
                clip, "libx264", BitRate(bits_per_second=60_000, frame_rate=frame_rate)
            ).astype(int)
            - clip
        ).mean()
        for frame_rate in (1, 25)
    }
    assert error[25] > 1.1 * error[1]


def test_frames_of_several_sizes_leave_video_compression_in_the_size_of_the_first() -> None:
    frames = [
        np.full((side, side + 10, 3), 0.1 * index, np.float32)
        for index, side in enumerate((32, 30, 36))
    ]
    compressed = VideoBitRate(VideoBitRateConfig())(frames, np.random.default_rng(0))
    assert [frame.shape for frame in compressed] == [(32, 42, 3)] * 3
    levels = [float(frame.mean()) for frame in compressed]
    np.testing.assert_allclose(levels, [0, 0.1, 0.2], atol=0.02)


def test_unknown_preset_is_a_video_error_in_one_line() -> None:
    with pytest.raises(VideoError, match="libx264 failed") as caught:
        encode_and_decode(noise(2), "libx264", BitRate(bits_per_second=10_000, preset="quick"))
    assert "\n" not in str(caught.value)

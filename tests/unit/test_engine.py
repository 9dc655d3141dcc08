"""The engine gives what one pass over a shot gives, in any pieces and within any memory."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from msvsr.engine import upscale as upscale_module
from msvsr.engine.options import EngineOptions
from msvsr.engine.tiles import StageRunner
from msvsr.engine.upscale import upscale_frames
from msvsr.errors import ConfigError, MsvsrError, ShapeError
from msvsr.frame import Frame
from msvsr.models.contract import Stage
from tests.support.models import tiny_model

TOLERANCE = 1e-4  # of the issue; float32 on other tile and batch sizes
TIGHT_GIB = 0.0004  # neither features nor frames of the test clip fit into this


def make_frames(
    num_frames: int, height: int = 70, width: int = 98, dtype: type = np.uint8
) -> list[Frame]:
    """A smooth pattern that moves by one pixel per frame."""
    rng = np.random.default_rng(height + width)
    coarse = torch.from_numpy(rng.random((1, 3, 12, 16), dtype=np.float32))
    size = (height, width + num_frames)
    wide = torch.nn.functional.interpolate(coarse, size, mode="bicubic").clamp(0, 1)
    pixels = (wide[0].permute(1, 2, 0).numpy() * np.iinfo(dtype).max).astype(dtype)
    return [
        Frame(
            image=np.ascontiguousarray(pixels[:, index : index + width]),
            pts=index * 512,
            time_base=Fraction(1, 12800),
        )
        for index in range(num_frames)
    ]


def one_pass(frames: list[Frame], refine_threshold: float = 255.0) -> torch.Tensor:
    clip = torch.stack([torch.from_numpy(f.image).permute(2, 0, 1).float() / 255 for f in frames])
    with torch.inference_mode():
        return tiny_model().network(clip[None], refine_threshold).sr[0]


@pytest.fixture
def raw_outputs(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """What the engine computes before it is rounded to whole grey levels."""
    outputs: list[torch.Tensor] = []
    to_image = upscale_module._to_image

    def record(output: torch.Tensor, source: Frame, scale: int) -> np.ndarray:
        outputs.append(output[0])
        return to_image(output, source, scale)

    monkeypatch.setattr(upscale_module, "_to_image", record)
    return outputs


def run(frames: list[Frame], **options: object) -> list[Frame]:
    engine = EngineOptions(**{"detect_cuts": False, **options})  # type: ignore[arg-type]
    return list(upscale_frames(iter(frames), tiny_model(), engine))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"window": 1, "memory_gib": TIGHT_GIB},
        {"window": 4, "memory_gib": TIGHT_GIB},
        {"window": 5, "memory_gib": TIGHT_GIB, "tile": 32},
        {"window": 100, "memory_gib": TIGHT_GIB},
        {"tile": 33},
        {"max_shot_frames": 9, "look_ahead": 4},
    ],
    ids=str,
)
def test_equals_one_pass(options: dict[str, object], raw_outputs: list[torch.Tensor]) -> None:
    frames = make_frames(13)
    upscaled = run(frames, **options)
    assert len(upscaled) == 13
    assert (torch.stack(raw_outputs) - one_pass(frames)).abs().max() <= TOLERANCE


@pytest.mark.parametrize("threshold", [0.0, 255.0])
def test_refinement_equals_one_pass(threshold: float, raw_outputs: list[torch.Tensor]) -> None:
    frames = make_frames(5)
    run(frames, refine_threshold=threshold)
    expected = one_pass(frames, threshold)
    assert (torch.stack(raw_outputs) - expected).abs().max() <= TOLERANCE


def test_refinement_per_frame_stops_for_each_frame_on_its_own() -> None:
    frames = make_frames(4)
    calm = frames[0].with_image(np.zeros_like(frames[0].image))
    mixed = [calm, *frames[1:]]
    model = tiny_model()
    calls: list[float] = []
    stage = model.cleaning

    def count(frame: torch.Tensor) -> torch.Tensor:
        residue = stage.function(frame)
        is_calm = float(frame.mean()) < 0.01
        calls.append(0.0 if is_calm else 1.0)
        return torch.zeros_like(residue) if is_calm else torch.full_like(residue, 0.1)

    model.cleaning = replace(stage, function=count)
    options = EngineOptions(detect_cuts=False, refine_threshold=5.0, refine_scope="frame")
    list(upscale_frames(mixed, model, options))
    assert calls.count(0.0) == 1
    assert calls.count(1.0) == 9


def test_long_shots_carry_forward_state_exactly_and_look_ahead_helps(
    raw_outputs: list[torch.Tensor],
) -> None:
    frames = make_frames(24)
    expected = one_pass(frames)
    errors = {}
    for look_ahead in (0, 2, 8):
        raw_outputs.clear()
        run(frames, max_shot_frames=8, look_ahead=look_ahead)
        difference = (torch.stack(raw_outputs) - expected).abs().amax((1, 2, 3))
        errors[look_ahead] = float(difference.max())
        # the last piece sees its whole future, and a past that was carried on exactly
        assert difference[-8:].max() <= TOLERANCE
    assert errors[0] > errors[2] > errors[8]


def test_cheap_mode_keeps_every_frame_and_is_close(raw_outputs: list[torch.Tensor]) -> None:
    frames = make_frames(17)
    assert len(run(frames, max_frames=5, overlap=4)) == 17
    close = float((torch.stack(raw_outputs) - one_pass(frames)).abs().max())
    raw_outputs.clear()
    run(frames, max_frames=5, overlap=0)
    assert close < float((torch.stack(raw_outputs) - one_pass(frames)).abs().max())


def test_cuts_stop_propagation() -> None:
    first, second = make_frames(9), make_frames(9, dtype=np.uint8)
    inverted = [frame.with_image(255 - frame.image) for frame in second]
    together = run([*first, *inverted], detect_cuts=True)
    apart = [*run(first), *run(inverted)]
    for index, (left, right) in enumerate(zip(together, apart, strict=True)):
        assert np.array_equal(left.image, right.image), index


def test_fast_movement_is_no_cut(raw_outputs: list[torch.Tensor]) -> None:
    frames = make_frames(60)[::4]
    run(frames, detect_cuts=True)
    assert (torch.stack(raw_outputs) - one_pass(frames)).abs().max() <= TOLERANCE


@pytest.mark.parametrize(("height", "width"), [(1, 1), (16, 30), (63, 200), (65, 33)])
def test_any_size_and_a_single_frame(height: int, width: int) -> None:
    (upscaled,) = run(make_frames(1, height, width))
    assert upscaled.image.shape == (4 * height, 4 * width, 3)


def test_instants_and_depth_stay() -> None:
    frames = make_frames(3, dtype=np.uint16)
    upscaled = run(frames)
    assert [frame.pts for frame in upscaled] == [0, 512, 1024]
    assert upscaled[0].image.dtype == np.uint16
    in_8_bits = run([f.with_image((f.image >> 8).astype(np.uint8)) for f in frames])
    difference = upscaled[1].image / 257.0 - in_8_bits[1].image
    assert np.abs(difference).mean() < 1.0


def test_frames_are_consumed_as_they_are_needed() -> None:
    taken = 0

    def source() -> Iterator[Frame]:
        nonlocal taken
        for frame in make_frames(40):
            taken += 1
            yield frame

    options = EngineOptions(detect_cuts=False, max_shot_frames=6, look_ahead=2)
    outputs = upscale_frames(source(), tiny_model(), options)
    next(outputs)
    assert taken <= 6 + 2 + 1


def test_progress_adds_up_to_the_frames() -> None:
    work: list[float] = []
    options = EngineOptions(detect_cuts=False, max_shot_frames=5, look_ahead=3)
    list(upscale_frames(make_frames(12), tiny_model(), options, on_work=work.append))
    assert sum(work) == pytest.approx(12)


def test_frames_of_another_size_are_named() -> None:
    frames = [*make_frames(2), *make_frames(1, height=72)]
    with pytest.raises(ShapeError, match="frame 2 has 98x72"):
        run(frames)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_finite_and_close(dtype: str) -> None:
    frames = make_frames(6)
    expected = run(frames)
    half = list(upscale_frames(frames, tiny_model(dtype), EngineOptions(detect_cuts=False)))
    for left, right in zip(expected, half, strict=True):
        error = np.square(left.image.astype(float) - right.image).mean()
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > 45
        assert right.image.std() > 1


def doubling(fail_above: int) -> tuple[Stage, list[int]]:
    """A stage that runs out of memory above a number of pixels."""
    sides: list[int] = []

    def function(x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] * x.shape[-2] > fail_above:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
        sides.append(x.shape[-1])
        return 2 * torch.nn.functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=True)

    return Stage(function=function, radius=1, work_bytes_per_pixel=1), sides


def test_out_of_memory_is_retried_smaller_with_the_same_result() -> None:
    image = torch.rand(1, 3, 150, 190)
    stage, sides = doubling(fail_above=60 * 60)
    expected = 2 * torch.nn.functional.avg_pool2d(image, 3, stride=1, padding=1)
    assert torch.allclose(StageRunner(10**9).run(stage, image), expected)
    assert max(sides) <= 60


def test_out_of_memory_at_the_smallest_tile_is_one_clear_line() -> None:
    stage, _ = doubling(fail_above=10)
    with pytest.raises(MsvsrError, match="out of memory on cpu with tiles of 32 pixels"):
        StageRunner(10**9).run(stage, torch.rand(1, 3, 150, 190))


def test_other_errors_are_not_swallowed() -> None:
    def broken(x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("something else")

    stage = Stage(function=broken, radius=1, work_bytes_per_pixel=1)
    with pytest.raises(RuntimeError, match="something else"):
        StageRunner(10**9).run(stage, torch.rand(1, 3, 8, 8))


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"max_shot_frames": 0},
        {"tile": 3},
        {"refine_threshold": 256.0},
        {"refine_scope": "clip"},
        {"memory_gib": 0.0},
        {"look_ahead": -1},
        {"max_frames": True},
    ],
    ids=str,
)
def test_impossible_options_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        EngineOptions(**wrong)  # type: ignore[arg-type]

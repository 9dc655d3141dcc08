"""The steps of classical enhancement, each against what its definition says."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from msvsr.classical import (
    STEPS,
    Bilateral,
    Canny,
    Clahe,
    EqualizeHistogram,
    Gaussian,
    Laplacian,
    Mean,
    Median,
    NonLocalMeans,
    Scale,
    Sobel,
    Step,
    UnsharpMask,
    apply_steps,
    planned_size,
)
from msvsr.errors import ConfigError, ShapeError

Image = npt.NDArray[np.uint8]

LEVEL = 257  # values of a 16-bit image per grey level


@pytest.fixture
def photo() -> Image:
    """Soft shapes with some noise, in all three channels, with black and white in it."""
    rng = np.random.default_rng(3)
    rough = cv2.resize(rng.uniform(0, 255, (6, 8, 3)).astype(np.float32), (64, 48))
    image = rough + rng.normal(0, 6, (48, 64, 3))
    image[4:12, 6:20] = 255
    image[30:40, 30:50] = 0
    return image.clip(0, 255).round().astype(np.uint8)


def noisy(sigma: float) -> tuple[npt.NDArray[np.float64], Image]:
    """Flat areas with a sharp edge, and the same with noise."""
    clean = np.full((48, 64, 3), (90.0, 120.0, 60.0))
    clean[:, 32:] = (170, 150, 200)
    noise = np.random.default_rng(5).normal(0, sigma, clean.shape)
    return clean, (clean + noise).clip(0, 255).round().astype(np.uint8)


def error(image: npt.NDArray[np.generic], clean: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean((image.astype(np.float64) - clean) ** 2)))


@pytest.mark.parametrize("name", STEPS)
def test_16_bits_give_what_8_bits_give_between_the_levels(name: str, photo: Image) -> None:
    step = STEPS[name]()
    shallow = step(photo)
    deep = step(photo.astype(np.uint16) * LEVEL)
    assert shallow.dtype == np.uint8
    assert deep.dtype == np.uint16
    assert deep.shape == shallow.shape == (*step.output_size(photo.shape[:2]), 3)
    # Luma is rounded to a level in 8 bits, and spreading it multiplies that by the slope (up to
    # 255 / 48 for parts of 48 pixels); the weights of non-local means come from coarser tables.
    tolerance = {"equalize": 4, "clahe": 6, "nlmeans": 10, "sobel": 2}.get(name, 0.8)
    assert np.abs(deep / LEVEL - shallow).max() <= tolerance


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 9)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiny_images_come_through(name: str, size: tuple[int, int], dtype: type) -> None:
    step = STEPS[name]()
    image = np.full((*size, 3), 7, dtype)
    assert step(image).shape == (*step.output_size(size), 3)


@pytest.mark.parametrize("name", [name for name in STEPS if name not in ("sobel", "canny")])
def test_a_flat_image_stays_as_it_is(name: str) -> None:
    flat = np.full((24, 24, 3), (40, 90, 200), np.uint8)
    result = STEPS[name]()(flat)
    changed = np.unique(result.reshape(-1, 3), axis=0)
    if name == "clahe":  # its limit lets the one level grow, and with it all three channels
        assert len(changed) == 1
    else:
        np.testing.assert_array_equal(changed, [[40, 90, 200]])


def test_laplacian_is_the_well_known_kernel(photo: Image) -> None:
    cross = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)
    square = np.array([[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]], np.float32)
    np.testing.assert_array_equal(Laplacian()(photo), cv2.filter2D(photo, -1, cross))
    np.testing.assert_array_equal(Laplacian(neighbours=8)(photo), cv2.filter2D(photo, -1, square))
    np.testing.assert_array_equal(Laplacian(amount=0)(photo), photo)


def test_unsharp_adds_what_the_blur_takes_away(photo: Image) -> None:
    image = photo.astype(np.float64)
    offsets = np.arange(-6, 7)
    weights = np.exp(-(offsets**2) / (2 * 2.0**2))
    weights /= weights.sum()
    padded = np.pad(image, ((6, 6), (6, 6), (0, 0)), mode="reflect")
    down = sum(w * padded[i : i + 48] for i, w in enumerate(weights))
    blurred = sum(w * down[:, i : i + 64] for i, w in enumerate(weights))
    detail = image - blurred
    expected = (image + 0.8 * detail).clip(0, 255)
    result = UnsharpMask(amount=0.8, radius=2)(photo)
    assert np.abs(result - expected).max() <= 0.51

    bounded = UnsharpMask(amount=0.8, radius=2, threshold=20)(photo)
    is_small = np.abs(detail) < 19.9
    assert is_small.any()
    np.testing.assert_array_equal(bounded[is_small], photo[is_small])
    assert not np.array_equal(bounded, photo)


def test_mean_and_median_are_those_of_the_square(photo: Image) -> None:
    window = photo[19:24, 29:34].reshape(25, 3).astype(np.float64)
    assert np.abs(Mean(size=5)(photo)[21, 31] - window.mean(0)).max() <= 0.5
    np.testing.assert_array_equal(Median(size=5)(photo)[21, 31], np.median(window, axis=0))


@pytest.mark.parametrize("size", [5, 7, 11])
def test_the_median_of_16_bits_is_exact_at_any_size(size: int, photo: Image) -> None:
    deep = photo.astype(np.uint16) * LEVEL
    expected = cv2.medianBlur(photo, size).astype(np.uint16) * LEVEL
    np.testing.assert_array_equal(Median(size=size)(deep), expected)


def test_gaussian_keeps_the_sum_of_a_dot_and_spreads_it_by_sigma() -> None:
    dot = np.zeros((61, 61, 3), np.uint16)
    dot[30, 30] = 65535
    spread = Gaussian(sigma=3)(dot)[..., 0].astype(np.float64)
    assert abs(spread.sum() / 65535 - 1) < 0.01
    x = np.arange(61) - 30
    deviation = np.sqrt((spread.sum(0) * x**2).sum() / spread.sum())
    assert abs(deviation - 3) < 0.1
    assert np.count_nonzero(Gaussian(sigma=3, size=5)(dot)[30, :, 0]) == 5


@pytest.mark.parametrize("step", [Bilateral(color=40), NonLocalMeans(strength=12, color=12)])
@pytest.mark.parametrize("scale", [1, LEVEL])
def test_noise_goes_and_the_edge_stays(step: Step, scale: int) -> None:
    clean, image = noisy(10)
    dtype = np.uint8 if scale == 1 else np.uint16
    result = step(image.astype(dtype) * dtype(scale)) / scale
    assert error(result, clean) < 0.5 * error(image, clean)
    blurred = Gaussian(sigma=2)(image)
    at_edge = np.s_[:, 30:34]
    assert error(result[at_edge], clean[at_edge]) < 0.5 * error(blurred[at_edge], clean[at_edge])


def test_non_local_means_without_strength_changes_nothing(photo: Image) -> None:
    """Nothing is lost by going through luma and colour differences."""
    np.testing.assert_array_equal(NonLocalMeans(strength=0, color=0)(photo), photo)


def test_scaling_interpolates_between_pixel_centres() -> None:
    ramp = np.repeat(np.arange(0, 160, 20, dtype=np.uint8)[None, :, None], 8, axis=0)
    ramp = np.repeat(ramp, 3, axis=2)
    nearest = Scale(factor=2, method="nearest")(ramp)
    np.testing.assert_array_equal(nearest, ramp.repeat(2, axis=0).repeat(2, axis=1))
    inner = slice(4, -4)
    expected = (np.arange(16) + 0.5) / 2 * 20 - 10
    for method in ("bilinear", "bicubic", "lanczos"):
        row = Scale(factor=2, method=method)(ramp)[8, inner, 1]
        # Bicubic with -0.75 misses a straight line by up to 1/64 of its step between pixels.
        assert np.abs(row - expected[inner]).max() <= 1
    half = Scale(factor=0.5, method="area")(ramp)
    np.testing.assert_array_equal(half[0, :, 0], [10, 50, 90, 130])


def test_sides_are_rounded_and_never_vanish() -> None:
    assert Scale(factor=1.5).output_size((3, 5)) == (4, 8)
    assert Scale(factor=1 / 16).output_size((3, 200)) == (1, 12)
    assert planned_size((10, 20), [Scale(factor=2), Mean(), Scale(factor=0.5)]) == (10, 20)
    with pytest.raises(ConfigError, match="16000x"):
        planned_size((3000, 1000), [Mean(), Scale(factor=16)])


def test_equalising_makes_levels_equally_frequent(photo: Image) -> None:
    dark = (photo // 4).astype(np.uint8)
    grey = cv2.cvtColor(cv2.cvtColor(dark, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    expected = cv2.equalizeHist(grey[..., 0])
    result = EqualizeHistogram()(grey)
    assert np.abs(result[..., 0].astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(EqualizeHistogram(amount=0)(photo), photo)
    colored = EqualizeHistogram()(dark)
    inside = (colored > 0).all(-1) & (colored < 255).all(-1)
    difference = colored.astype(int) - dark
    assert inside.sum() > 500
    assert (np.ptp(difference[inside], axis=1) == 0).all()  # the same for R, G and B


@pytest.mark.parametrize("size", [(48, 64), (45, 61), (48, 61), (3, 64)])
@pytest.mark.parametrize("clip", [1.0, 2.0, 8.0])
def test_clahe_of_16_bits_follows_opencv_of_8_bits(
    size: tuple[int, int], clip: float, photo: Image
) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    grey = np.ascontiguousarray(grey[: size[0], : size[1]])
    step = Clahe(clip=clip, tiles=4)
    expected = cv2.createCLAHE(clip, (4, 4)).apply(grey[..., 0])
    np.testing.assert_array_equal(step(grey)[..., 0], expected)
    deep = step(grey.astype(np.uint16) * LEVEL)
    assert np.abs(deep[..., 0] / LEVEL - expected).max() <= 1


def test_clahe_raises_contrast_in_the_dark_and_keeps_gradients_fine() -> None:
    ramp = np.linspace(4000, 9000, 128).astype(np.uint16)
    image = np.repeat(np.repeat(ramp[None, :, None], 96, axis=0), 3, axis=2)
    result = Clahe(clip=4)(image)[48, :, 0]
    assert np.ptp(result.astype(int)) > 1.5 * np.ptp(ramp.astype(int))
    assert len(np.unique(result)) > 100  # 8 bits would leave about 20


def test_sobel_shows_a_full_edge_as_white_and_half_an_edge_as_grey() -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    image[:, 10:20] = 255
    image[:, 20:] = 127
    for size in (3, 5, 7):
        row = Sobel(size=size)(image)[10, :, 0].astype(int)
        assert row[9] == row[10] == 255 if size == 3 else row[10] > 200
        assert row[:5].max() == 0
    row = Sobel()(image)[10, :, 0].astype(int)
    assert abs(row[20] - 128) <= 1
    assert abs(Sobel(strength=0.5)(image)[10, 10, 1] - 128) <= 1
    turned = Sobel()(image.transpose(1, 0, 2))
    np.testing.assert_array_equal(turned, Sobel()(image).transpose(1, 0, 2))


def test_canny_draws_one_line_along_an_edge() -> None:
    image = np.full((20, 30, 3), 50, np.uint8)
    image[:, 15:] = 80  # its gradient measures 120
    edges = Canny(low=50, high=100)(image)
    assert set(np.unique(edges)) == {0, 255}
    assert (np.count_nonzero(edges[2:-2, :, 0], axis=1) == 1).all()
    assert not Canny(low=50, high=130)(image).any()
    deep = Canny(low=50, high=100)(image.astype(np.uint16) * LEVEL)
    np.testing.assert_array_equal(deep, edges.astype(np.uint16) * LEVEL)


def test_steps_run_in_order(photo: Image) -> None:
    steps = [Median(), Scale(factor=2), Laplacian()]
    expected = Laplacian()(Scale(factor=2)(Median()(photo)))
    np.testing.assert_array_equal(apply_steps(photo, steps), expected)
    assert not np.array_equal(apply_steps(photo, steps[::-1]), expected)


def test_no_step_changes_its_input(photo: Image) -> None:
    before = photo.copy()
    photo.flags.writeable = False
    for kind in STEPS.values():
        kind()(photo)
    np.testing.assert_array_equal(photo, before)


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)],
)
def test_what_is_no_image_is_told(image: npt.NDArray[np.generic]) -> None:
    with pytest.raises(ShapeError, match=r"\(h, w, 3\) and type uint8 or uint16"):
        apply_steps(image, [Mean()])  # type: ignore[arg-type]

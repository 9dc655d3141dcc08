"""BRISQUE and NRQM hand pyiqa what it expects, and say in one line what is missing."""

import sys
import urllib.error
from collections.abc import Callable
from types import ModuleType

import pytest
import torch

from msvsr.errors import CheckpointError, ConfigError, ShapeError
from msvsr.metrics import load_perceptual, perceptual_index

RED = torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1).expand(3, 8, 9)
GREY = torch.full((3, 8, 9), 0.5)


class PyiqaStandIn(ModuleType):
    """Answers as pyiqa 0.1.16 does: the mean of its input, without an axis for one NRQM."""

    def __init__(self) -> None:
        super().__init__("pyiqa")
        self.options: list[dict[str, object]] = []
        self.shapes: list[tuple[int, ...]] = []
        self.failure: Exception | None = None

    def create_metric(self, metric_name: str, **options: object) -> Callable[..., torch.Tensor]:
        """Note what was asked for."""
        if self.failure:
            raise self.failure
        self.options.append({"name": metric_name, **options})

        def measure(image: torch.Tensor) -> torch.Tensor:
            self.shapes.append(tuple(image.shape))
            if image.min() < 0 or image.max() > 1:
                raise AssertionError("Input must be normalized to [0, 1]")
            mean = image.mean(dim=(1, 2, 3))
            return mean.squeeze() if metric_name == "nrqm" else mean

        return measure


@pytest.fixture
def pyiqa(monkeypatch: pytest.MonkeyPatch) -> PyiqaStandIn:
    stand_in = PyiqaStandIn()
    monkeypatch.setitem(sys.modules, "pyiqa", stand_in)
    return stand_in


def test_brisque_takes_whole_luma_as_matlab_does(pyiqa: PyiqaStandIn) -> None:
    brisque = load_perceptual("brisque")
    values = brisque(torch.stack((RED, GREY)))
    # 16 + 65.481 and 16 + 219 / 2, both rounded to 8 bits.
    assert (values * 255).tolist() == pytest.approx([81.0, 126.0], abs=1e-4)
    assert values.dtype == torch.float64
    assert pyiqa.options == [{"name": "brisque_matlab", "device": torch.device("cpu")}]
    assert pyiqa.shapes == [(1, 1, 8, 9)] * 2


def test_nrqm_takes_rgb_and_is_told_which_luma_to_use(pyiqa: PyiqaStandIn) -> None:
    nrqm = load_perceptual("nrqm", device="cpu")
    values = nrqm(torch.stack((RED, GREY, RED)).view(3, 1, 3, 8, 9))
    assert values.tolist() == pytest.approx([1 / 3, 0.5, 1 / 3])
    assert pyiqa.options[0]["color_space"] == "ycbcr"
    assert pyiqa.shapes == [(1, 3, 8, 9)] * 3


@pytest.mark.usefixtures("pyiqa")
@pytest.mark.parametrize("name", ["brisque", "nrqm"])
def test_what_a_network_overshoots_is_clipped_as_in_a_file(name: str) -> None:
    measure = load_perceptual(name)  # type: ignore[arg-type]
    beyond = GREY.clone()
    beyond[:, 0], beyond[:, 1] = -0.2, 1.3
    assert torch.equal(measure(beyond), measure(beyond.clamp(0, 1)))
    assert measure(beyond.half()).shape == (1,)


@pytest.mark.usefixtures("pyiqa")
def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(\.\.\., 3, h, w\)"):
        load_perceptual("brisque")(torch.zeros(1, 8, 9))


def test_without_pyiqa_the_line_says_what_to_install_and_its_licence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyiqa", None)
    with pytest.raises(ConfigError) as caught:
        load_perceptual("nrqm")
    message = str(caught.value)
    for part in ("pip install 'msvsr[iqa]'", "non-commercial", "PolyForm Noncommercial", "S-Lab"):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("failure", "error", "part"),
    [
        (urllib.error.URLError("Name or service not known"), CheckpointError, "cannot fetch"),
        (AssertionError("Metric brisque_matlab not implemented yet."), ConfigError, "--upgrade"),
        (RuntimeError("operator torchvision::nms does not exist\nat"), ConfigError, "nms does not"),
        (ImportError("No module named 'scipy'"), ConfigError, "No module named 'scipy'"),
        (OSError(), CheckpointError, "OSError"),
    ],
)
def test_each_failure_of_pyiqa_is_one_line(
    pyiqa: PyiqaStandIn, failure: Exception, error: type[Exception], part: str
) -> None:
    pyiqa.failure = failure
    with pytest.raises(error) as caught:
        load_perceptual("brisque")
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="'brisque', 'nrqm'"):
        load_perceptual("pi")  # type: ignore[arg-type]


def test_the_index_of_published_rows() -> None:
    # RealBasicVSR on VideoLQ: NIQE 3.7662, NRQM 6.0477, PI 3.8593.
    assert perceptual_index(niqe=3.7662, nrqm=6.0477) == pytest.approx(3.8593, abs=6e-5)
    assert perceptual_index(niqe=0.0, nrqm=10.0) == 0.0

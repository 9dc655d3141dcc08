"""Figures that several processes collect add up to those of one."""

import pickle

import pytest
import torch

from msvsr.errors import InputError
from msvsr.metrics import FrameMean, Niqe
from msvsr.metrics.niqe import PristineModel, load_pristine


def over_the_wire(measure: FrameMean | Niqe) -> FrameMean | Niqe:
    """Pass a measure on as processes do."""
    copy = pickle.loads(pickle.dumps(measure))  # noqa: S301
    assert isinstance(copy, FrameMean | Niqe)
    return copy


def test_means_of_several_processes_are_the_mean_of_all_frames() -> None:
    values = torch.rand(7).double()
    whole, first = FrameMean(), FrameMean()
    whole.update(values)
    first.update(values[:5])
    second = FrameMean()
    second.update(values[5:])
    received = over_the_wire(second)
    assert isinstance(received, FrameMean)
    first.merge(received)
    first.merge(FrameMean())  # a process that had no clip
    assert first.num_frames == 7
    assert first.compute() == pytest.approx(whole.compute(), rel=1e-15)


def test_merging_leaves_the_other_mean_as_it_was() -> None:
    first, second = FrameMean(), FrameMean()
    first.update(torch.tensor([1.0]))
    second.update(torch.tensor([3.0]))
    first.merge(second)
    assert (first.compute(), second.compute(), second.num_frames) == (2.0, 3.0, 1)


def test_niqe_of_several_processes_is_that_of_all_frames() -> None:
    frames = torch.rand(3, 3, 96, 192)
    whole, first, second = (Niqe(channels="gray", crop_border=0) for _ in range(3))
    whole.update(torch.cat((frames, torch.zeros(2, 3, 96, 192))))
    first.update(frames[:1])
    first.update(torch.zeros(3, 96, 192))
    second.update(frames[1:])
    second.update(torch.zeros(3, 96, 192))
    received = over_the_wire(second)
    assert isinstance(received, Niqe)
    first.merge(received)
    assert (first.num_frames, first.num_undefined) == (3, 2)
    assert first.compute() == pytest.approx(whole.compute(), rel=1e-15)


def test_niqe_that_was_pickled_measures_on() -> None:
    frame = torch.rand(3, 96, 192)
    measure = over_the_wire(Niqe())
    assert isinstance(measure, Niqe)
    assert torch.equal(measure.update(frame), Niqe().update(frame))


def test_niqe_of_another_kind_is_not_merged() -> None:
    shipped = load_pristine()
    moved = PristineModel(
        mean=shipped.mean + 1, covariance=shipped.covariance, window=shipped.window
    )
    for other in (Niqe(channels="gray"), Niqe(crop_border=4), Niqe(pristine=moved)):
        measure = Niqe()
        with pytest.raises(InputError, match="one setting"):
            measure.merge(other)
        assert measure.num_frames == 0

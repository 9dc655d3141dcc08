"""Both stages of the paper at small size: objectives, gradients, parts of a batch, resuming."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.data import default_collate

from msvsr.archs.spynet import SPyNet
from msvsr.errors import CheckpointError, ConfigError
from msvsr.losses.pixel import l1_loss
from msvsr.training.objective import area_downsample
from msvsr.training.targets import choose_targets
from msvsr.training.trainer import Trainer
from tests.support.training import STAGE_1, STAGE_2, make_config, write_clip, write_vgg

STAGES = {"1": STAGE_1, "2": STAGE_2}


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where things are."""

    data: Path
    vgg: Path

    def trainer(
        self,
        work_dir: Path,
        stage: str,
        *,
        initial: Path | None = None,
        spynet: Path | None = None,
        **changes: object,
    ) -> Trainer:
        """A trainer of a small stage, with changes to it."""
        return Trainer(
            make_config(STAGES[stage], **changes),
            self.data,
            self.data.parent / "cache",
            work_dir,
            num_workers=0,
            initial=initial,
            spynet=spynet,
            vgg=self.vgg,
        )


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A clip and random weights of VGG19."""
    root = tmp_path_factory.mktemp("stages")
    write_clip(root / "data" / "seen", 0)
    return Places(data=root / "data", vgg=write_vgg(root / "vgg"))


def batch_of(trainer: Trainer, *indices: int):  # noqa: ANN201 - of the trainer's samples
    return default_collate([trainer.dataset[index] for index in indices])


def gradients(network: nn.Module) -> dict[str, torch.Tensor]:
    return {
        name: each.grad.clone()
        for name, each in network.named_parameters()
        if each.grad is not None
    }


def collect(trainer: Trainer, *parts: tuple[object, float]) -> dict[str, torch.Tensor]:
    """Gradients of the network, and of the discriminator where there is one, after some parts."""
    networks = {name: each.network for name, each in trainer._networks.learners.items()}
    for network in networks.values():
        network.zero_grad(set_to_none=True)
    for part, share in parts:
        trainer.backward(part, share)
    return {
        prefix + name: gradient
        for prefix, network in networks.items()
        for name, gradient in gradients(network).items()
    }


def assert_close(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        # Sums in another order: float32 rounding relative to the largest gradient of the layer.
        scale = float(value.abs().max())
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5 * scale + 1e-9)


@pytest.mark.parametrize("stage", ["1", "2"])
def test_stopped_and_continued_run_gives_the_weights_of_an_unbroken_one(
    places: Places, tmp_path: Path, stage: str
) -> None:
    places.trainer(tmp_path / "whole", stage).run()
    for steps in (1, 2, 1):
        places.trainer(tmp_path / "parts", stage).run(max_steps=steps)
    whole, parts = (
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)
        for name in ("whole", "parts")
    )
    kinds = ["network", "ema"] + ["discriminator_network"] * (stage == "2")
    for kind in kinds:
        assert whole[kind].keys() == parts[kind].keys()
        for name, value in whole[kind].items():
            assert torch.equal(value, parts[kind][name]), (kind, name)
    if stage == "2":
        assert any(name.endswith("weight_u") for name in whole["discriminator_network"])


@pytest.mark.parametrize("stage", ["1", "2"])
def test_parts_of_a_batch_add_up_to_the_whole(places: Places, tmp_path: Path, stage: str) -> None:
    trainer = places.trainer(tmp_path, stage)
    batch = trainer.prepare(batch_of(trainer, 0, 1))
    halves = [(type(batch)(*(each[i : i + 1] for each in batch)), 0.5) for i in range(2)]
    whole = collect(trainer, (batch, 1.0))
    assert_close(collect(trainer, *halves), whole)


@pytest.mark.parametrize("stage", ["1", "2"])
def test_run_with_accumulated_gradients_follows_the_run_without(
    places: Places, tmp_path: Path, stage: str
) -> None:
    runs = [places.trainer(tmp_path / str(size), stage, micro_batch_size=size) for size in (0, 1)]
    curves = [
        [run.train_step(batch_of(run, *range(2 * step, 2 * step + 2))) for step in range(3)]
        for run in runs
    ]
    for whole, parts in zip(*curves, strict=True):
        assert parts == pytest.approx(whole, rel=1e-4, abs=1e-6)


def test_cleaning_module_learns_from_pixel_and_cleaning_loss_alone(
    places: Places, tmp_path: Path
) -> None:
    trainer = places.trainer(tmp_path, "2")
    batch = trainer.prepare(batch_of(trainer, 0))
    found = collect(trainer, (batch, 1.0))
    network, loss = trainer.network, trainer.config.loss
    network.zero_grad(set_to_none=True)
    target = choose_targets(batch, loss).pixel
    output = network(batch.lq.float() / 255)
    faithful = l1_loss(output.sr, target)
    cleaning = l1_loss(output.cleaned, area_downsample(target))
    (faithful + cleaning).backward()
    plain = gradients(network)
    for name, value in plain.items():
        is_same = torch.allclose(found[name], value, rtol=1e-3, atol=1e-6)
        assert is_same == name.startswith("image_cleaning."), name


def test_rest_of_the_network_learns_from_all_losses(places: Places, tmp_path: Path) -> None:
    trainer = places.trainer(tmp_path, "2")
    batch = trainer.prepare(batch_of(trainer, 0))
    found = collect(trainer, (batch, 1.0))
    network, judges, loss = trainer.network, trainer._judges, trainer.config.loss
    assert judges is not None
    network.zero_grad(set_to_none=True)
    targets = choose_targets(batch, loss)
    sr = network(batch.lq.float() / 255).sr
    logits = judges.discriminator(sr.flatten(0, 1))
    total = l1_loss(sr, targets.pixel) + judges.perceptual(sr, targets.perceptual)
    total = total + 0.05 * nn.functional.softplus(-logits).mean()
    total.backward()
    plain = {k: v for k, v in gradients(network).items() if k.startswith("basicvsr.")}
    assert_close({name: found[name] for name in plain}, plain)


def test_chunks_of_frames_change_no_gradient(places: Places, tmp_path: Path) -> None:
    whole = places.trainer(tmp_path / "whole", "2")
    loss = {**STAGE_2["loss"], "frames_per_chunk": 3}
    chunked = places.trainer(tmp_path / "chunked", "2", loss=loss)
    batch = whole.prepare(batch_of(whole, 0, 1))
    chunked.prepare(batch)
    assert_close(collect(chunked, (batch, 1.0)), collect(whole, (batch, 1.0)))


@pytest.mark.parametrize("stage", ["1", "2"])
def test_activations_computed_again_change_no_gradient(
    places: Places, tmp_path: Path, stage: str
) -> None:
    kept = places.trainer(tmp_path / "kept", stage)
    few = places.trainer(tmp_path / "few", stage, checkpoint_activations=True)
    batch = kept.prepare(batch_of(kept, 0, 1))
    few.prepare(batch)
    assert_close(collect(few, (batch, 1.0)), collect(kept, (batch, 1.0)))
    assert "propagate_forward" not in vars(few.network.basicvsr)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_gradients_of_all_networks_keep_their_direction_in_half_precision(
    places: Places, tmp_path: Path, precision: str
) -> None:
    exact = places.trainer(tmp_path / "float32", "2")
    rough = places.trainer(tmp_path / precision, "2", precision=precision)
    batch = exact.prepare(batch_of(exact, 0))
    rough.prepare(batch)
    scaler = rough.precision.scaler
    scaler.load_state_dict({**scaler.state_dict(), "scale": 512.0})  # the first one overflows
    scale = scaler.get_scale()
    expected, found = (collect(trainer, (batch, 1.0)) for trainer in (exact, rough))
    for prefix in ("image_cleaning.", "basicvsr.", "discriminator_"):
        one, two = (
            torch.cat([each.flatten() for name, each in sorted(x.items()) if prefix in name])
            for x in (expected, found)
        )
        assert nn.functional.cosine_similarity(one, two, dim=0) > 0.98
        assert float(two.norm()) / scale == pytest.approx(float(one.norm()), rel=0.05)


def test_second_stage_in_float16_finds_its_scale(places: Places, tmp_path: Path) -> None:
    trainer = places.trainer(tmp_path, "2", precision="float16")
    scaler = trainer.precision.scaler
    scaler.load_state_dict({**scaler.state_dict(), "scale": 2.0**24})
    batch = batch_of(trainer, 0)
    before = [each.clone() for each in trainer.network.parameters()]
    norms = [trainer.train_step(batch)["gradient_norm"] for _ in range(2)]
    assert not np.isfinite(norms).any()
    assert scaler.get_scale() == 2.0**22
    assert all(map(torch.equal, before, trainer.network.parameters()))
    scaler.load_state_dict({**scaler.state_dict(), "scale": 512.0})
    assert np.isfinite(trainer.train_step(batch)["gradient_norm"])
    assert not all(map(torch.equal, before, trainer.network.parameters()))


def test_discriminator_learns_plain_and_the_rest_sharpened_truth(
    places: Places, tmp_path: Path
) -> None:
    trainer = places.trainer(tmp_path, "2")
    batch = batch_of(trainer, 0)
    targets = choose_targets(batch, trainer.config.loss)
    assert not torch.equal(batch.gt, batch.gt_unsharp)
    for sharpened in (targets.pixel, targets.perceptual):
        assert torch.equal(sharpened, batch.gt_unsharp / 255)
    assert torch.equal(targets.adversarial, batch.gt / 255)


def test_discriminator_comes_to_tell_real_from_made(places: Places, tmp_path: Path) -> None:
    judge = {"num_channels": 4, "learning_rate": 1e-2}
    trainer = places.trainer(tmp_path, "2", num_steps=100, discriminator=judge)
    batch = batch_of(trainer, 0)
    values = [trainer.train_step(batch) for _ in range(10)]
    assert values[-1]["discriminator"] < 0.95 * values[0]["discriminator"]
    assert values[-1]["perceptual"] < values[0]["perceptual"]


def test_second_stage_starts_with_the_mean_weights_of_the_first(
    places: Places, tmp_path: Path
) -> None:
    places.trainer(tmp_path / "first", "1").run(max_steps=1)
    weights = load_file(tmp_path / "first" / "model.safetensors")
    for initial in (tmp_path / "first", tmp_path / "first" / "model.safetensors"):
        second = places.trainer(tmp_path / "second", "2", initial=initial)
        for name, value in second.network.state_dict().items():
            assert torch.equal(value, weights[name])


@pytest.mark.parametrize("stage", ["1", "2"])
def test_pretrained_flow_network_stays_as_it_is(places: Places, tmp_path: Path, stage: str) -> None:
    torch.manual_seed(5)
    pretrained = SPyNet((4,), 3, 2).state_dict()
    save_file(pretrained, tmp_path / "spynet.safetensors")
    trainer = places.trainer(tmp_path / "run", stage, spynet=tmp_path / "spynet.safetensors")
    trainer.run(max_steps=1)
    for networks in (trainer.network, trainer.ema):
        for name, value in networks.basicvsr.spynet.state_dict().items():
            assert torch.equal(value, pretrained[name])
    along = places.trainer(tmp_path / "along", stage)
    before = along.network.basicvsr.spynet.basic_module[0].state_dict()
    before = {name: value.clone() for name, value in before.items()}
    along.run(max_steps=1)
    after = along.network.basicvsr.spynet.basic_module[0].state_dict()
    assert any(not torch.equal(value, before[name]) for name, value in after.items())


def test_fixed_cleaning_module_stays_as_it_is(places: Places, tmp_path: Path) -> None:
    network = {**STAGE_2["network"], "is_fix_cleaning": True}
    trainer = places.trainer(tmp_path, "2", network=network)
    before = [each.clone() for each in trainer.network.image_cleaning.parameters()]
    trainer.run(max_steps=1)
    after = list(trainer.network.image_cleaning.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_checkpoint_of_the_other_stage_is_refused(places: Places, tmp_path: Path) -> None:
    for stage, other in (("1", "2"), ("2", "1")):
        places.trainer(tmp_path / stage, stage).run(max_steps=1)
        with pytest.raises(CheckpointError, match="belongs to another run"):
            places.trainer(tmp_path / stage, other)


def test_missing_weights_are_named_in_one_line(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with pytest.raises(CheckpointError, match=r"vgg19-dcbb9e9d\.pth") as caught:
        Trainer(make_config(STAGE_2), places.data, tmp_path, tmp_path / "run", 0)
    assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError, match=r"flow\.pth") as caught:
        places.trainer(tmp_path / "run", "1", spynet=tmp_path / "flow.pth")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": {"criterion": "l2"}}, "criterion must be one of l1, charbonnier"),
        ({"loss": {"pixel": -1}}, "0 or above"),
        ({"precision": "float8"}, "precision must be one of"),
        ({"micro_batch_size": -1}, "micro_batch_size must be 0 or above"),
        ({"data": {"clips": [{"name": "a"}]}}, "either data .* or footage"),
        ({"footage": {"sources": []}}, "sources is empty"),
        ({"footage": {"samples": {"scale": 2}}}, "must be the same, got 2 and 4"),
        ({"optimizer": {"schedule": "linear"}}, "schedule must be one of cosine, constant"),
        (
            {"flow_warmup_steps": 2, "network": {"spynet_pretrained": "a"}},
            "set flow_warmup_steps to 0",
        ),
    ],
)
def test_impossible_stage_is_refused_in_one_line(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        make_config(STAGE_1, **changes)
    assert "\n" not in str(caught.value)


def test_held_out_clip_inside_the_footage_is_refused(places: Places, tmp_path: Path) -> None:
    changes = {
        "footage": {**STAGE_1["footage"], "sources": [{"path": "."}]},
        "validation": {"clips": [{"name": "seen", "shrink": 1}]},
    }
    with pytest.raises(ConfigError, match="must not be trained on"):
        places.trainer(tmp_path, "1", **changes)


def test_run_without_samples_is_refused(places: Places, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give data or footage"):
        places.trainer(tmp_path, "1", footage=None)

"""The original project's Python configurations: read as far as they are written out, never run."""

from pathlib import Path

import pytest

from msvsr.compat.original_config import read_generator_config
from msvsr.compat.python_config import read_python_config
from msvsr.errors import ConfigError
from msvsr.models.config import GeneratorConfig

# Written after the layouts in use: plain values, names, calls of dict, and much that is not ours.
LARGE = '''
"""A configuration."""
import os.path as osp
from math import pi

exp_name = 'realbasicvsr_x4'
scale = 4
loss = dict(type='L1Loss', loss_weight=1.0, reduction='mean')
sizes: dict = {'mid_channels': 48, "num_cleaning_blocks": 15}
model = dict(
    type='RealBasicVSR',
    generator=dict(
        type='RealBasicVSRNet',
        **sizes,
        dynamic_refine_thres=5,  # for tests
        spynet_pretrained='https://example.org/'
        'spynet.pth',
        is_sequential_cleaning=True),
    pixel_loss=loss,
    perceptual_loss=dict(layer_weights={'2': 0.1, '34': 1.0}, norm_img=False),
    gan_loss=dict(real_label_val=+1.0, fake_label_val=-0.5),
    is_use_ema=True,
)
train_pipeline = [dict(type='RandomBlur', omega=[3.1416 / 3, pi], flags=('a', None))]
data = dict(workers=10, train=dict(pipeline=train_pipeline, root=osp.join('data', 'REDS')))
work_dir = f'./work_dirs/{exp_name}'
for name in ('a', 'b'):
    print(name)
'''


def write(folder: Path, text: str, name: str = "config.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def told(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_generator_config(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path.name) in message
    return message


def test_the_generator_comes_out_of_a_whole_configuration(tmp_path: Path) -> None:
    assert read_generator_config(write(tmp_path, LARGE)) == GeneratorConfig(
        mid_channels=48,
        num_cleaning_blocks=15,
        dynamic_refine_thres=5.0,
        spynet_pretrained="https://example.org/spynet.pth",
        is_sequential_cleaning=True,
    )
    smallest = "model = dict(generator=dict(type='RealBasicVSRNet'))"
    assert read_generator_config(write(tmp_path, smallest)) == GeneratorConfig()


def test_values_of_every_kind(tmp_path: Path) -> None:
    config = read_python_config(write(tmp_path, LARGE))
    model = config.get("model")
    assert model["gan_loss"] == {"real_label_val": 1.0, "fake_label_val": -0.5}
    assert model["pixel_loss"]["reduction"] == "mean"
    assert config.get("scale") == 4
    assert config.get("nothing") is None
    for name, reason in {
        "work_dir": "a formatted text",
        "train_pipeline": "a calculation",
        "data": "a calculation",
        "pi": "an import",
        "name": "a loop",
    }.items():
        with pytest.raises(ConfigError, match=reason):
            config.get(name)


def test_nothing_is_ever_executed(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    text = f"""
import pathlib
done = pathlib.Path({str(trap)!r}).write_text('executed')
exec("pathlib.Path({str(trap)!r}).touch()")
class Config(dict(a=open({str(trap)!r}, 'w'))['a'].__class__): pass
model = dict(generator=dict(mid_channels=8), hook=open({str(trap)!r}, 'w'))
"""
    assert "a call of open" in told(write(tmp_path, text))
    assert not trap.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("model = build()", "line 1: a call of build"),
        ("import os\nmodel = dict(generator=os.environ)", "line 2: an attribute of something"),
        ("model = dict(generator=dict(mid_channels=2 * 32))", "a calculation"),
        ("model = dict(generator=dict(mid_channels=n))", "n is not assigned before"),
        ("def f(): pass\nmodel = dict(generator=f)", "line 1"),
        ("model = dict([('generator', {})])", "a call of dict"),
        ("dict = list\nmodel = dict(generator=1)", "a call of dict"),
        ("dict = 1\nmodel = dict(generator=1)", "a call of dict"),
        ("model = dict(generator={**3})", "takes a dictionary"),
        ("model = dict(generator={(1, 2): 3})", "a key"),
        ("model = dict(generator=dict(mid_channels=-'a'))", "a sign"),
        ("x = " + "[" * 80 + "]" * 80 + "\nmodel = dict(generator=x.y)", "an attribute"),
    ],
)
def test_what_is_not_written_out_is_told_where_it_is_needed(
    text: str, reason: str, tmp_path: Path
) -> None:
    message = told(write(tmp_path, text))
    assert reason in message
    assert "without running the file" in message


@pytest.mark.parametrize(
    "change",
    [
        "model['generator']['mid_channels'] = 32",
        "model.update(generator=dict(mid_channels=32))",
        "done = model.update(generator=dict(mid_channels=32))",
        "model |= dict(generator=dict(mid_channels=32))",
        "if True:\n    model = dict(generator=dict(mid_channels=32))",
        "del model",
        "sizes['mid_channels'] = 32",
        "also['mid_channels'] = 32",
        "exec('model = 3')",
        "globals()['model'] = 3",
        "from elsewhere import *",
        "def model(): pass",
        "x, model = 1, 2",
        "[model := 3]",
    ],
)
def test_a_value_that_changes_later_is_not_taken_as_it_was(change: str, tmp_path: Path) -> None:
    """A wrong network that looks right would be worse than an error."""
    text = "sizes = dict(mid_channels=64)\nalso = sizes\nmodel = dict(generator=sizes)\n"
    assert read_generator_config(write(tmp_path, text)).mid_channels == 64
    told(write(tmp_path, text + change))
    later = f"{text}{change}\nmodel = dict(generator=dict(mid_channels=16))"
    assert read_generator_config(write(tmp_path, later)).mid_channels == 16


def test_bases_are_read_and_laid_under(tmp_path: Path) -> None:
    write(tmp_path, "log = dict(interval=1)\nmodel = dict(type='Other')", "base/runtime.py")
    write(
        tmp_path,
        "_base_ = ['runtime.py']\n"
        "model = dict(_delete_=True, type='RealBasicVSR',\n"
        "             generator=dict(mid_channels=24, num_cleaning_blocks=7))",
        "base/model.py",
    )
    path = write(
        tmp_path,
        "_base_ = './base/model.py'\nmodel = dict(generator=dict(mid_channels=40))",
    )
    generator = read_generator_config(path)
    assert (generator.mid_channels, generator.num_cleaning_blocks) == (40, 7)
    assert read_python_config(path).get("log") == {"interval": 1}


def test_a_base_that_is_not_there_matters_only_when_the_network_needs_it(tmp_path: Path) -> None:
    lonely = "_base_ = '../_base_/default_runtime.py'\n"
    whole = write(tmp_path, lonely + "model = dict(generator=dict(mid_channels=16))")
    assert read_generator_config(whole).mid_channels == 16
    message = told(write(tmp_path, lonely + "model = dict(train_cfg=None)"))
    assert "default_runtime.py" in message
    assert "circle" not in message
    told(write(tmp_path, "_base_ = 'circle.py'", "circle.py"))
    told(write(tmp_path, "_base_ = 3"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model = dict(generator=dict(mid_chanels=64))", "unknown key mid_chanels"),
        ("model = dict(generator=dict(mid_channels=0))", "mid_channels"),
        ("model = dict(type='BasicVSR', generator=dict())", "is a BasicVSR"),
        ("model = dict(generator=dict(type='BasicVSRNet'))", "is a BasicVSRNet"),
        ("model = dict(generator={1: 2})", "must be names"),
        ("model = 3", "must assign model"),
        ("", "must assign model"),
        ("model = dict(", "is not Python, line 1"),
        ("model = dict()\x00", "config.py"),
        ("#" * (1 << 20) + "\n", "larger"),
    ],
)
def test_what_is_no_configuration_is_told_in_one_line(
    text: str, expected: str, tmp_path: Path
) -> None:
    assert expected in told(write(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot read" in told(tmp_path / "missing.py")
    assert "cannot read" in told(tmp_path)

"""Steps as a person writes them, and what is said about them."""

from dataclasses import fields

import pytest

from msvsr.classical import (
    ALIASES,
    STEPS,
    Canny,
    Gaussian,
    Laplacian,
    Median,
    NonLocalMeans,
    Scale,
    Sobel,
    UnsharpMask,
    describe_steps,
    parse_steps,
)
from msvsr.errors import ConfigError


def test_names_parameters_and_order() -> None:
    text = "unsharp:amount=0.8:radius=2, median:size=5 ,upscale:factor=3:method=lanczos,sharpen"
    assert parse_steps(text) == (
        UnsharpMask(amount=0.8, radius=2.0),
        Median(size=5),
        Scale(factor=3.0, method="lanczos"),
        UnsharpMask(),
    )


def test_words_of_the_issue() -> None:
    assert parse_steps("sharpen,denoise,upscale") == (UnsharpMask(), NonLocalMeans(), Scale())
    assert parse_steps("nearest:factor=0.5") == (Scale(factor=0.5, method="nearest"),)
    assert parse_steps("laplacian:neighbours=8,sobel:size=7") == (
        Laplacian(neighbours=8),
        Sobel(size=7),
    )
    for name in (*STEPS, *ALIASES):
        assert len(parse_steps(name)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sharpn", ["'sharpn'", "sharpen", "canny", "--list"]),
        ("", ["without a name"]),
        ("mean,,mean", ["without a name"]),
        ("median:sise=3", ["'sise'", "takes size"]),
        ("lanczos:method=area", ["'method'", "takes factor"]),
        ("median:size", ["'size'", "parameter=value"]),
        ("median:size=", ["parameter=value"]),
        ("median:size=3:size=5", ["twice"]),
        ("median:size=4", ["median: size", "odd from 3 to 31", "got 4"]),
        ("median:size=3.0", ["whole number", "'3.0'"]),
        ("gaussian:size=1", ["0, or odd from 3", "got 1"]),
        ("unsharp:amount=much", ["unsharp: amount", "'much'"]),
        ("unsharp:amount=-1", ["from 0 to 10", "-1"]),
        ("scale:factor=nan", ["nan"]),
        ("scale:factor=inf", ["inf"]),
        ("scale:method=magic", ["nearest, bilinear, bicubic, lanczos, area", "'magic'"]),
        ("sobel:size=4", ["3, 5, 7", "'4'"]),
        ("canny:low=300", ["low=300", "high=200"]),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_what_there_is(
    text: str, expected: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_steps(text)
    message = str(caught.value)
    assert "\n" not in message
    for part in expected:
        assert part in message


def test_values_are_checked_without_the_syntax_too() -> None:
    with pytest.raises(ConfigError, match="size"):
        Median(size=True)
    with pytest.raises(ConfigError, match="size"):
        Median(size=5.0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="neighbours"):
        Laplacian(neighbours=6)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="method"):
        Scale(method=["nearest"])  # type: ignore[arg-type]
    assert Gaussian(size=0).size == 0
    assert Canny(low=200, high=200).low == 200


def test_every_step_and_parameter_is_explained() -> None:
    descriptions = {entry.name: entry for entry in describe_steps()}
    assert set(descriptions) == set(STEPS)
    for name, entry in descriptions.items():
        assert entry.explanation.endswith(".")
        assert [p.name for p in entry.parameters] == [f.name for f in fields(STEPS[name])]
        for parameter in entry.parameters:
            assert parameter.explanation, f"{name}: {parameter.name} is not explained"
            assert str(parameter)
    assert descriptions["scale"].presets["lanczos"] == {"method": "lanczos"}
    assert descriptions["unsharp"].aliases == ("sharpen",)


def test_defaults_as_they_are_shown_can_be_typed() -> None:
    for entry in describe_steps():
        settings = "".join(f":{p.name}={p.default}" for p in entry.parameters)
        assert parse_steps(entry.name + settings) == (STEPS[entry.name](),)

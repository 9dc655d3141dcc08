"""The page of ``msvsr compare`` in a real browser that has no network."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from msvsr.app.compare import CompareOptions, compare_clips
from tests.support.clips import AudioTrack, make_video

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SIZE = (90, 160)
LEFT, RIGHT, THIRD = (220, 40, 40), (40, 60, 220), (40, 200, 60)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    if CHROMIUM is None and not os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        pytest.skip("needs Chromium")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of two images, and one of three clips with sound."""
    folder = tmp_path_factory.mktemp("pages")
    for name, color in (("a", LEFT), ("b", RIGHT)):
        cv2.imwrite(str(folder / f"{name}.png"), plain(color)[..., ::-1])
    images = folder / "images.html"
    compare_clips([folder / "a.png", folder / "b.png"], images)
    clips = [
        make_video(folder / f"{name}.mp4", [plain(color)] * 20, audio=[AudioTrack(seconds=0.8)])
        for name, color in (("a", LEFT), ("b", RIGHT), ("c", THIRD))
    ]
    video = folder / "video.html"
    compare_clips(clips, video, options=CompareOptions(labels=("one", "two", "three")))
    return {"images": images, "video": video}


def plain(color: tuple[int, int, int]) -> np.ndarray:
    return np.full((*SIZE, 3), color, np.uint8)


@pytest.fixture
def visit(browser: "Browser", pages: dict[str, Path]) -> "Iterator[Callable[..., Page]]":
    """Opens a page and afterwards insists that nothing failed and nothing was asked for."""
    contexts, problems, requests = [], [], []

    def go(name: str, **settings: bool) -> "Page":
        context = browser.new_context(
            offline=True, viewport={"width": 800, "height": 700}, **settings
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(pages[name].as_uri())
        page.wait_for_function("source.complete || source.readyState >= 2")
        return page

    yield go
    for context in contexts:
        context.close()
    assert problems == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


def shown(page: "Page", share: float) -> str:
    """Which clip the canvas shows at a part of its width."""
    x = int(share * SIZE[1])
    page.wait_for_timeout(50)
    page.evaluate("draw()")
    # A page that was opened from a file may not read pixels of a video, so look at a picture of it.
    box = page.locator("#picture").bounding_box()
    clip = {"x": box["x"] + (x + 0.5) * box["width"] / SIZE[1], "y": box["y"] + box["height"] - 20,
            "width": 2, "height": 2}  # fmt: skip
    pixel = cv2.imdecode(np.frombuffer(page.screenshot(clip=clip), np.uint8), cv2.IMREAD_COLOR)
    color = pixel[0, 0, ::-1].astype(int)
    names = {"left": LEFT, "right": RIGHT, "third": THIRD}
    return min(names, key=lambda name: np.abs(color - names[name]).sum())


def share(page: "Page") -> int:
    return int(page.locator("#divider").get_attribute("aria-valuenow"))


def test_the_divider_is_dragged_with_the_mouse(visit: "Callable[..., Page]") -> None:
    page = visit("images")
    assert (shown(page, 0.4), shown(page, 0.6), share(page)) == ("left", "right", 50)
    box = page.locator("#picture").bounding_box()
    handle = page.locator("#divider").bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 10)
    page.mouse.up()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 10)  # let go: nothing moves
    assert (shown(page, 0.4), share(page)) == ("right", 20)


def test_the_divider_moves_with_the_keys(visit: "Callable[..., Page]") -> None:
    page = visit("images")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "divider"
    page.keyboard.press("ArrowLeft")
    assert share(page) == 49
    page.keyboard.press("PageUp")
    assert share(page) == 59
    page.keyboard.press("End")
    assert (shown(page, 0.97), share(page)) == ("left", 100)
    page.keyboard.press("Home")
    assert (shown(page, 0.03), share(page)) == ("right", 0)


def test_the_divider_follows_a_touch(visit: "Callable[..., Page]") -> None:
    page = visit("images", has_touch=True, is_mobile=True)
    box = page.locator("#picture").bounding_box()
    page.touchscreen.tap(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    assert share(page) == 80
    assert shown(page, 0.6) == "left"


def test_a_video_plays_steps_and_has_sound(visit: "Callable[..., Page]") -> None:
    page = visit("video")
    page.wait_for_function("!source.paused && source.currentTime > 0.05")
    page.keyboard.press("Space")
    assert page.evaluate("source.paused")
    before = page.evaluate("source.currentTime")
    page.keyboard.press(",")
    page.wait_for_function(f"source.currentTime < {before} - 0.01 && !source.seeking")
    back = page.evaluate("source.currentTime")
    page.keyboard.press(".")
    page.wait_for_function(f"Math.abs(source.currentTime - {back} - 0.04) < 0.01")
    assert page.evaluate("source.muted")
    page.check("#sound")
    assert not page.evaluate("source.muted")


def test_any_two_of_three_clips_are_chosen(visit: "Callable[..., Page]") -> None:
    page = visit("video")
    page.keyboard.press("Space")
    assert (shown(page, 0.4), shown(page, 0.6)) == ("left", "right")
    page.select_option("#choice1", label="three")
    assert (shown(page, 0.4), shown(page, 0.6)) == ("left", "third")
    assert page.inner_text("#right") == "three"


def test_sizes(visit: "Callable[..., Page]") -> None:
    page = visit("images")
    assert page.locator("#picture").bounding_box()["width"] == 800
    page.select_option("#zoom", label="100%")
    assert page.locator("#picture").bounding_box()["width"] == SIZE[1]
    page.select_option("#zoom", label="400%")
    assert page.locator("#picture").bounding_box()["width"] == 4 * SIZE[1]

"""The page in a real browser: choose, start, watch, compare, download, cancel, and go wrong."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from msvsr.video import probe
from tests.support.browser import ServedPage, launch_chromium, serve
from tests.support.clips import AudioTrack, frame_times, make_video, moving_pattern

pytest.importorskip("gradio", reason="gradio is not installed")

_SECONDS = 1000  # Playwright counts in milliseconds
_PATIENCE = 30 * _SECONDS


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launch_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[ServedPage]:  # noqa: ANN401
    folder = tmp_path_factory.mktemp("page")
    with serve(folder, "--max-upload", "1") as served:
        make_video(served.media / "clip.mp4", 8, audio=[AudioTrack(seconds=0.3)])
        make_video(served.media / "long.mp4", 150, size=(180, 320))
        (served.media / "bad.mp4").write_bytes(bytes(range(256)) * 9)
        (served.media / "large.mp4").write_bytes(bytes(2**20 + 1))
        (folder / "outside.mp4").write_bytes((served.media / "clip.mp4").read_bytes())
        images = served.media / "images"
        images.mkdir()
        for number, image in enumerate(moving_pattern(3)):
            cv2.imwrite(str(images / f"{number}.png"), image)
        yield served
        assert served.stop() == 0


class Visitor:
    """Somebody at the page."""

    def __init__(self, page: Any, served: ServedPage) -> None:  # noqa: ANN401
        self.page = page
        self.served = served
        self.requested: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.set_default_timeout(_PATIENCE)
        page.goto(served.address)
        page.wait_for_selector("#start")

    def upload(self, name: str) -> None:
        """Upload a file of the media folder."""
        self.page.set_input_files("#upload input[type=file]", self.served.media / name)

    def open(self, path: str) -> None:
        """Type a path of a file on the server."""
        self.page.get_by_role("tab").nth(1).click()
        box = self.page.locator("#path textarea, #path input")
        box.fill(path)
        box.press("Enter")

    def choose(self, task: str) -> None:
        """Choose a task."""
        self.page.locator(f'#task input[value="{task}"]').check()

    def facts(self) -> str:
        """What the page says of the source, once it does."""
        return str(self.page.wait_for_selector("#facts .facts").inner_text())

    def start(self) -> int:
        """Press start, and give the job's number."""
        self.page.locator("#problem").evaluate("box => box.querySelector('.note')?.remove()")
        self.page.locator("#start").click()
        line = self.page.wait_for_selector("#problem .note").inner_text()
        return int(re.search(r"\d+", line).group())  # type: ignore[union-attr]

    def wait_for(self, job: int, state: str) -> Any:  # noqa: ANN401
        """Wait until the list says that a job has got somewhere."""
        return self.page.wait_for_selector(f'#history li.is-{state}[data-job="{job}"]')

    def state_of(self, job: int) -> str:
        """Where the list says that a job stands."""
        marks = self.page.locator(f'#history li[data-job="{job}"]').get_attribute("class")
        return str(marks.split()[0].removeprefix("is-"))

    def result_of(self, job: int) -> str:
        """The name of a job's result, once it is shown."""
        self.wait_for(job, "done")
        self.page.wait_for_selector(f'#result a.download[href="jobs/{job}/download"]')
        return str(self.page.locator("#result .line b").inner_text())

    def download(self, target: Path) -> Path:
        """Download the result that is shown."""
        with self.page.expect_download() as waiting:
            self.page.locator("#result a.download").click()
        waiting.value.save_as(target)
        return target


@pytest.fixture
def visitor(browser: Any, served: ServedPage) -> Iterator[Visitor]:  # noqa: ANN401
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-US", accept_downloads=True
    )
    yield Visitor(context.new_page(), served)
    context.close()


def leftovers(served: ServedPage) -> list[str]:
    return [path.name for path in served.results.iterdir() if path.name.startswith(".")]


def test_a_clip_is_uploaded_upscaled_compared_and_downloaded(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.page
    visitor.upload("clip.mp4")
    facts = visitor.facts()
    for fact in ("64x48", "25 fps", "h264", "aac"):
        assert fact in facts
    estimate = page.wait_for_selector("#estimate .estimate").inner_text()
    assert re.search(r"about \d+(\.\d+)? s", estimate)
    assert "256x192" in estimate
    assert "GiB of memory" in estimate

    job = visitor.start()
    assert visitor.result_of(job) == "clip_x4.mp4"
    output = visitor.download(tmp_path / "clip_x4.mp4")
    info = probe(output)
    assert (info.size, len(frame_times(output))) == ((192, 256), 8)
    assert info.audio_streams
    assert output.read_bytes() == (visitor.served.results / "clip_x4.mp4").read_bytes()
    page.wait_for_function("document.querySelector('#result video').readyState >= 2")

    slider = page.locator("#before-after .slider-wrap")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    after = page.locator("#before-after img").nth(1)
    assert after.evaluate("image => image.naturalWidth") == 256
    middle_y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle_y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, middle_y, steps=4)
    page.mouse.up()
    clip_path = after.get_attribute("style")
    left = float(re.search(r"clip-path: inset\(0px 0px 0px ([\d.]+)%\)", clip_path).group(1))  # type: ignore[union-attr]
    assert 10 < left < 30

    first = after.get_attribute("src")
    page.locator("#moment input[type=number]").fill("100")
    page.locator("#moment input[type=range]").focus()
    page.keyboard.press("End")
    page.locator("#moment input[type=range]").dispatch_event("pointerup")
    page.wait_for_function(
        "first => document.querySelectorAll('#before-after img')[1].src != first", arg=first
    )


def test_a_file_on_the_server_is_interpolated_and_compared_with_another_job(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor.page
    visitor.open("clip.mp4")
    assert "clip.mp4" in visitor.facts()
    assert page.locator("#rate").count() == 0
    visitor.choose("interpolate")
    page.locator("#rate input").fill("60")
    page.locator("#rate input").press("Enter")
    job = visitor.start()
    assert visitor.result_of(job).startswith("clip_60fps")
    output = visitor.download(tmp_path / "out.mp4")
    assert probe(output).frame_rate == 60
    assert len(frame_times(output)) == 20  # 8 frames of 1/25 s are shown for 0.32 s

    visitor.choose("classic")
    page.locator("#steps input").fill("median,bicubic:factor=2")
    page.locator("#steps input").press("Enter")
    other = visitor.start()
    assert visitor.result_of(other).startswith("clip_classic_x2")
    before = page.locator("#before-after img").first
    source = before.get_attribute("src")
    page.locator("#other input").click()
    page.get_by_role("option", name=re.compile(rf"job {job}\b")).click()
    page.wait_for_function(
        "source => document.querySelector('#before-after img').src != source", arg=source
    )


def test_a_folder_of_images_becomes_images(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.page
    page.get_by_role("tab").nth(1).click()
    page.locator("#entries input").click()
    page.get_by_role("option", name="images/").click()
    assert "png, folder of images" in visitor.facts()
    page.wait_for_selector("#image-rate input")
    page.locator('#output-kind input[value="images"]').check()
    visitor.choose("classic")
    page.locator("#steps input").fill("nearest:factor=3")
    page.locator("#steps input").press("Enter")
    job = visitor.start()
    assert visitor.result_of(job) == "images_classic_x3"
    packed = visitor.download(tmp_path / "out.zip")
    assert packed.read_bytes()[:2] == b"PK"
    assert len(list((visitor.served.results / "images_classic_x3").iterdir())) == 3


def test_cancelling_stops_within_two_seconds_and_leaves_nothing(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("long.mp4")
    visitor.facts()
    visitor.choose("interpolate")
    job = visitor.start()
    page.wait_for_function(
        "Number(document.querySelector('#running [role=progressbar]')?.ariaValueNow) > 0"
    )
    assert re.search(r"\d of 150 frames · [\d.]+ frames/s", page.locator("#running").inner_text())
    page.wait_for_selector("#running .preview img")
    assert leftovers(visitor.served)
    page.locator("#cancel").click()
    pressed = time.monotonic()
    while leftovers(visitor.served) and time.monotonic() < pressed + 10:
        time.sleep(0.02)
    assert time.monotonic() - pressed < 2.5
    visitor.wait_for(job, "cancelled")
    assert not list(visitor.served.results.glob("long*"))

    visitor.open("clip.mp4")  # the next job finds everything as it should be
    visitor.choose("upscale")
    visitor.result_of(visitor.start())


def test_jobs_wait_for_each_other_while_the_page_answers(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("long.mp4")
    visitor.facts()
    first = visitor.start()
    visitor.wait_for(first, "running")
    visitor.open("clip.mp4")
    page.wait_for_function("document.querySelector('#facts').innerText.includes('clip.mp4')")
    second, third = visitor.start(), visitor.start()
    visitor.wait_for(third, "waiting")
    assert "2 before it" in page.locator(f'#history li[data-job="{third}"]').inner_text()
    page.locator(f'#history li[data-job="{second}"] button.cancel').click()
    visitor.wait_for(second, "cancelled")
    assert visitor.state_of(first) == "running"
    page.locator("#cancel").click()
    visitor.wait_for(third, "done")
    assert [visitor.state_of(job) for job in (first, second)] == ["cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("bad.mp4", "not a video that can be read"),
        ("../outside.mp4", "outside the allowed folders"),
        ("/etc/passwd", "outside the allowed folders"),
        ("missing.mp4", "no such file"),
    ],
)
def test_what_cannot_be_read_is_one_line(visitor: Visitor, path: str, reason: str) -> None:
    visitor.open(path)
    problem = visitor.page.wait_for_selector("#facts .problem").inner_text()
    assert reason in problem
    assert "\n" not in problem.strip()
    visitor.page.locator("#start").click()
    assert "no video yet" in visitor.page.wait_for_selector("#problem .problem").inner_text()


def test_uploads_are_limited_in_size_and_kind(visitor: Visitor) -> None:
    page = visitor.page
    visitor.upload("bad.mp4")
    assert "not a video" in page.wait_for_selector("#facts .problem").inner_text()
    page.reload()
    page.wait_for_selector("#start")
    visitor.upload("large.mp4")
    page.wait_for_selector("text=/exceed|too large|maximum/i")
    assert page.locator("#facts .facts").count() == 0


def test_a_wrong_setting_is_one_line(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("clip.mp4")
    visitor.facts()
    visitor.choose("interpolate")
    page.locator("#rate input").fill("fast")
    page.locator("#rate input").press("Enter")
    page.locator("#start").click()
    assert "'fast' is no output rate" in page.wait_for_selector("#problem .problem").inner_text()


def test_the_page_speaks_chinese_as_well(browser: Any, visitor: Visitor) -> None:  # noqa: ANN401
    page = visitor.page
    assert page.locator("#start").inner_text() == "Start"
    visitor.open("clip.mp4")
    visitor.facts()
    page.locator('#language input[value="zh"]').check()
    page.wait_for_selector("#start:has-text('开始')")
    page.wait_for_selector("#facts:has-text('帧率')")
    page.wait_for_selector("#estimate:has-text('内存')")
    assert page.locator("#task").inner_text().startswith("任务")
    visitor.choose("classic")
    visitor.wait_for(visitor.start(), "done")
    context = browser.new_context(locale="zh-CN")
    chinese = Visitor(context.new_page(), visitor.served)
    chinese.page.wait_for_selector("#start:has-text('开始')")
    chinese.page.wait_for_selector("#result a.download:has-text('下载')")  # of the last job
    chinese.page.wait_for_selector("#before-after img")
    context.close()


def test_nothing_is_asked_of_any_other_place(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("clip.mp4")
    visitor.facts()
    page.wait_for_selector("#estimate .estimate")
    elsewhere = [
        url
        for url in visitor.requested
        if not url.startswith((visitor.served.address, "data:", "blob:"))
    ]
    assert elsewhere == []
    assert len(visitor.requested) > 20
    fetched = "fetch('https://example.org/').then(() => 'fetched', error => error.name)"
    violated = (
        "new Promise(done => { document.addEventListener('securitypolicyviolation', "
        f"event => done(event.blockedURI)); {fetched}; }})"
    )
    assert page.evaluate(violated).startswith("https://example.org")


def test_the_page_fits_a_phone(browser: Any, served: ServedPage) -> None:  # noqa: ANN401
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-US")
    phone = Visitor(context.new_page(), served)
    phone.open("clip.mp4")
    phone.facts()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()

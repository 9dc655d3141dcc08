"""Finding models: what needs no network stays without it. The client itself runs in e2e."""

from pathlib import Path

import pytest

from msvsr.errors import ConfigError
from msvsr.models.catalog import FRAME_INTERPOLATION_TASK, default_model_folder
from msvsr.plugin import hub
from tests.support.models import write_interpolation_folder, write_model_folder

MODEL_ID = "damo/cv_realbasicvsr_video-super-resolution_videolq"
INTERPOLATION_ID = "damo/cv_raft_video-frame-interpolation_practical"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, bool]]:
    """A client that only knows an incomplete cached model and notes what it is asked."""
    calls: list[tuple[str, bool]] = []

    def snapshot_download(model_id: str, *, local_files_only: bool = False) -> str:
        calls.append((model_id, local_files_only))
        if not local_files_only:
            raise ConnectionError("[E1020] Connection failed: a long story\nof two lines")
        if not (tmp_path / "configuration.json").exists():
            (tmp_path / "configuration.json").write_text("{}")
        return str(tmp_path)

    monkeypatch.setattr(hub, "_client", lambda: snapshot_download)
    return calls


def test_folders_and_shipped_names_need_no_client(
    client: list[tuple[str, bool]], tmp_path: Path
) -> None:
    folder = write_model_folder(tmp_path / "mine")
    assert hub.resolve_model(folder) == folder
    assert hub.resolve_model(str(folder)) == folder
    assert hub.resolve_model() == default_model_folder()
    assert hub.resolve_model("realbasicvsr_lite_x4") == default_model_folder()
    assert client == []


def test_what_is_no_model_is_told_what_would_be(client: list[tuple[str, bool]]) -> None:
    with pytest.raises(ConfigError, match=r"no model 'realbasic'.*realbasicvsr_lite_x4"):
        hub.resolve_model("realbasic")
    assert client == []


@pytest.mark.parametrize("name", [MODEL_ID, "realbasicvsr_x4"])
def test_the_cache_comes_before_the_network(
    name: str, client: list[tuple[str, bool]], tmp_path: Path
) -> None:
    write_model_folder(tmp_path)
    assert hub.resolve_model(name) == tmp_path
    assert client == [(MODEL_ID, True)]


def test_an_incomplete_cache_is_completed_or_explained_in_one_line(
    client: list[tuple[str, bool]],
) -> None:
    with pytest.raises(ConfigError, match=r"downloading it failed \(\[E1020\] Connection failed\)"):
        hub.resolve_model(MODEL_ID)
    assert client == [(MODEL_ID, True), (MODEL_ID, False)]


def test_cached_models_are_listed(client: list[tuple[str, bool]], tmp_path: Path) -> None:
    assert hub.cached_models() == {}
    write_model_folder(tmp_path)
    assert hub.cached_models()[MODEL_ID] == tmp_path


def test_a_model_of_another_task_is_refused_before_it_is_downloaded(
    client: list[tuple[str, bool]],
) -> None:
    for name in (MODEL_ID, "realbasicvsr_x4"):
        with pytest.raises(ConfigError, match=f"'{name}' is a model for video-super-resolution"):
            hub.resolve_model(name, FRAME_INTERPOLATION_TASK)
    assert client == []


@pytest.mark.usefixtures("client")
def test_an_interpolation_model_is_complete_with_both_its_networks(tmp_path: Path) -> None:
    write_interpolation_folder(tmp_path, layout="official")
    assert hub.cached_folder(INTERPOLATION_ID) == tmp_path
    (tmp_path / "interpnet.pt").unlink()
    assert hub.cached_folder(INTERPOLATION_ID) is None


def test_both_official_models_have_a_shipped_folder(client: list[tuple[str, bool]]) -> None:
    assert hub.model_id_of("realbasicvsr_x4") == MODEL_ID
    assert hub.model_id_of("raft_interpolation_practical") == INTERPOLATION_ID
    assert hub.model_id_of("realbasicvsr_lite_x4") is None
    assert client == []


def test_embedded_models_need_no_download(client: list[tuple[str, bool]]) -> None:
    assert hub.download_model("realbasicvsr_lite_x4") == default_model_folder()
    with pytest.raises(ConfigError, match="'realbasicvsr_lite_x4' needs no download"):
        hub.download_model("realbasicvsr_lite_x4", revision="v1")
    with pytest.raises(ConfigError, match=r"no model 'realbasic'.*realbasicvsr_lite_x4"):
        hub.download_model("realbasic")
    assert client == []


def test_a_revision_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    revisions = []

    def snapshot_download(_model_id: str, *, revision: str | None = None) -> str:
        revisions.append(revision)
        return str(write_model_folder(tmp_path))

    monkeypatch.setattr(hub, "_client", lambda: snapshot_download)
    assert hub.download_model(MODEL_ID, "v1.0.1") == tmp_path
    assert hub.download_model(MODEL_ID) == tmp_path
    assert revisions == ["v1.0.1", None]


@pytest.mark.usefixtures("client")
def test_a_card_lies_in_the_folder_the_cache_or_the_package(tmp_path: Path) -> None:
    shipped = default_model_folder().with_name("realbasicvsr_x4") / "README.md"
    assert hub.find_card("realbasicvsr_lite_x4") == default_model_folder() / "README.md"
    assert hub.find_card("realbasicvsr_x4") == shipped
    assert hub.find_card(MODEL_ID) == shipped
    (tmp_path / "README.md").write_text("# Downloaded")
    assert hub.find_card(MODEL_ID) == tmp_path / "README.md"
    assert hub.find_card(str(tmp_path)) == tmp_path / "README.md"

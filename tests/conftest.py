"""What every test may count on: fixed seeds, few threads, and the shared clips when they exist."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Hold torch to the two cores that the suite is timed for, and time nothing on busy ones."""
    torch.set_num_threads(max(1, 2 // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))))
    settings.register_profile("msvsr", deadline=None)
    settings.load_profile("msvsr")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the tests that take minutes unless ``-m`` names them."""
    if "slow" in config.getoption("markexpr"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes minutes; run with -m slow"))


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    """Start each test from the same random state."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  (third-party code may draw from the global state)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout that the tests stand in."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of third-party clips, beside the checkout or where MSVSR_SHARED_DATA points."""
    place = os.environ.get("MSVSR_SHARED_DATA", REPOSITORY.parent / "shared" / "data")
    folder = Path(place)
    if not folder.is_dir():
        pytest.skip(f"no shared clips at {folder}; MSVSR_SHARED_DATA may name their folder")
    return folder

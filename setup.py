"""Packaging of msvsr. Tool settings live in pyproject.toml, development pins in constraints.txt."""

import ast
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def read_version() -> str:
    """Return ``__version__`` of the package without importing it."""
    tree = ast.parse((HERE / "msvsr" / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value))
    raise RuntimeError("msvsr/__init__.py does not assign __version__")


# The page; fastapi and uvicorn come with gradio and are used beside it.
UI = [
    "fastapi>=0.115",
    "gradio>=6",
    "uvicorn>=0.30",
]

setup(
    name="msvsr",
    version=read_version(),
    description=(
        "Real-world video super-resolution and frame interpolation: a ModelScope plugin, "
        "a library and a command"
    ),
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The msvsr authors",
    license="Apache-2.0",
    license_files=["LICENSE", "THIRD_PARTY.md"],
    keywords=[
        "video super-resolution",
        "frame interpolation",
        "RealBasicVSR",
        "RAFT",
        "ModelScope",
        "PyTorch",
    ],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: End Users/Desktop",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Multimedia :: Video",
        "Topic :: Scientific/Engineering :: Image Processing",
        "Typing :: Typed",
    ],
    # `configuration/` stands beside the package in the repository, where the model folders are
    # easy to find, and inside the package once it is installed.
    packages=[*find_packages(include=["msvsr", "msvsr.*"]), "msvsr.configuration"],
    package_dir={"msvsr": "msvsr", "msvsr.configuration": "configuration"},
    package_data={"msvsr": ["py.typed", "metrics/*.npz"], "msvsr.configuration": ["*/*"]},
    include_package_data=False,
    zip_safe=False,
    python_requires=">=3.10",
    install_requires=[
        "av>=17.1",  # the newest that supports Python 3.10
        # ModelScope pins datasets; 1.36 is the first release line whose pin admits datasets 4.
        "datasets>=4.0,<=4.8.4",
        "modelscope[framework]>=1.36",
        "numpy>=1.24",
        "opencv-python>=4.8",
        "pillow>=10",
        "psutil>=5.9",
        "rich>=13",
        "safetensors>=0.4",
        "scenedetect>=0.7",
        "torch>=2.1",
    ],
    extras_require={
        "dev": [
            "coverage>=7",
            *UI,
            "hypothesis>=6.100",
            "import-linter>=2.1",
            "mypy>=1.13",
            "playwright>=1.45",  # the page's tests; they skip where there is no Chromium
            "pre-commit>=3",
            "pytest>=8",
            "pytest-cov>=5",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.5",
            "ruff>=0.9",
            "scikit-image>=0.22",
        ],
        "ui": UI,
        # BRISQUE and NRQM. Licensed for non-commercial use only: never a requirement of msvsr.
        "iqa": [
            "pyiqa>=0.1.13",  # the first with MATLAB's BRISQUE
        ],
    },
    entry_points={"console_scripts": ["msvsr = msvsr.cli:main"]},
)

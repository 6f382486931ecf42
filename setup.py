"""Installs the package."""

import pathlib

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
SHIPPED = ("small_pose", "small_action", "small_lift")

setup(
    name="deephar",
    version="0.1.0",
    description="Multi-task human pose estimation and action recognition on Keras 3",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    packages=find_packages(include=["deephar", "deephar.*"]),
    # An editable install is then this folder on the path. Without it, Python started
    # beside a checkout named deephar would take that folder for the package.
    package_dir={"": "."},
    package_data={
        "deephar.demo": ["static/*"],
        "deephar.pages": ["static/*"],
    },
    entry_points={"console_scripts": ["deephar = deephar.commands:main"]},
    python_requires=">=3.10",
    data_files=[
        (f"share/deephar/weights/{name}", [str(f) for f in files])
        for name in SHIPPED
        if (files := sorted(pathlib.Path("weights", name).glob("*.*")))
    ],
    install_requires=[
        "tensorflow>=2.18",
        "keras>=3.8",
        "numpy>=1.26",
        "h5py>=3.10",
        "scipy>=1.11",
        "opencv-python-headless>=4.9,<5",
        "pillow>=10.1",
        "matplotlib>=3.8",
        "av>=15",
        "pycocotools>=2.0.8",
        "tensorboard",
    ],
    extras_require={
        "export": [
            *("onnx>=1.16", "tf2onnx>=1.16", "onnxruntime>=1.17"),
            "ai-edge-litert>=1.2",
        ],
        "app": ["starlette>=0.41", "uvicorn>=0.30"],
        "test": [
            *("jsonschema>=4.20", "pytest>=8", "pytest-xdist>=3.5", "ruff>=0.6"),
            "playwright>=1.48",
        ],
        "human36m": ["cdflib>=1.2"],
        "jax": ["jax>=0.4.30"],
        "torch": ["torch>=2.4"],
    },
)

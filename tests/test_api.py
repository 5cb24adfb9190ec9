"""What users may rely on: removing a name here is a deliberate act."""

import importlib

import pytest

import morphface

PUBLIC = {
    "Camera",
    "FaceEditor",
    "FaceParameters",
    "MorphableModel",
    "__version__",
    "fit_photo",
    "fit_photos",
    "load_model",
    "load_parameters",
    "read_image",
    "save_parameters",
}
ROOMS = (
    "core",
    "edit",
    "evaluate",
    "fit",
    "geometry",
    "landmarks",
    "media",
    "models",
    "parameters",
    "pipelines",
    "show",
    "ui",
)


def test_the_public_names_are_these():
    assert set(morphface.__all__) == PUBLIC
    assert set(dir(morphface)) >= PUBLIC
    for name in PUBLIC:
        assert getattr(morphface, name) is not None


@pytest.mark.parametrize("room", [*ROOMS, "render", "render.maps"])
def test_every_room_exports_what_it_says(room):
    module = importlib.import_module(f"morphface.{room}")
    assert module.__doc__
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), name


@pytest.mark.refusal
def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'morphface' has no attribute 'nonsense'"):
        _ = morphface.nonsense

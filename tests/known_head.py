"""A photo of a known head, without a detector."""

import pytest
import torch

from morphface.fit import FitResult
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.render import Renderer

GREEN = torch.tensor([0.0, 1.0, 0.0])


@pytest.fixture(scope="session")
def known():
    """A turned head in its mean colours before a green wall, fitted perfectly."""
    model = load_model()
    camera = Camera.facing((240, 320), focal=500.0)
    neutral = FaceParameters.neutral()
    rotation = angles_to_rotvec(torch.tensor([[0.3, 0.1, 0.0]]))
    vector = neutral.to_vector()
    vector[:, :3], vector[0, 3:6] = rotation, torch.tensor([20.0, 10.0, -700.0])
    face = FaceParameters.from_vector(vector, identity=80, expression=52, reflectance=80)
    face.expression[0, model.expression.names.index("jawOpen")] = 0.25
    vertices = to_camera(
        model.vertices(face.identity, face.expression)[0], face.rotation[0], face.translation[0]
    )
    colours = model.albedo(face.reflectance)
    pixels = Renderer.of(model, camera)(vertices[None], colours=colours).over(GREEN)[0]
    points = camera.project(model.landmark_embedding("478").points(vertices))[:, :2]
    landmarks = Landmarks(points, "478", torch.ones(len(points)), box_of(points))
    fit = FitResult(face, camera, landmarks, points, 0.0, True, "", ())
    fitted = FittedFace(fit, model, {"detect": 0.1, "fit": 0.2})
    return FittedPhoto(Photo(pixels), (fitted,))

"""Heads that are photographed and fitted perfectly."""

from dataclasses import replace

import torch

from morphface.edit import edit
from morphface.fit import FitResult
from morphface.fit.fitted import FittedFace
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.render import Renderer
from morphface.rerender.eye_place import RINGS, eye_ball
from morphface.rerender.looks import Look

SIZE = (360, 400)
GREEN = torch.tensor([0.05, 0.45, 0.05])


def draw(model, parameters, camera, iris=GREEN):
    colours = model.albedo(parameters.reflectance).clone()
    colours[:, model.regions["sclera"] > 0.5] = 0.9
    colours[:, model.regions["iris"] > 0.5] = iris
    colours[:, model.regions["pupil"] > 0.5] = 0.02
    look = Look.of(model, parameters)
    return Renderer.of(model, camera)(look.vertices[None], colours=colours).over(GREEN * 0)[0]


def landmarks_of(model, look, camera):
    points = camera.project(model.landmark_embedding("478").points(look.vertices))[:, :2]
    return Landmarks(points, "478", torch.ones(len(points)), box_of(points))


def photographed(weights, height=0.0, **changes):
    """A head with green eyes that fills its photo, with an expression; raised by millimetres."""
    model, camera = load_model(), Camera.facing(SIZE, focal=2400.0)
    face = edit(FaceParameters.neutral(), model=model, expression=weights, **changes)
    face = replace(face, translation=torch.tensor([[0.0, height, -900.0]]))
    landmarks = landmarks_of(model, Look.of(model, face), camera)
    fit = FitResult(face, camera, landmarks, landmarks.points, 0.0, True, "", ())
    circle = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    for side, (_, iris) in enumerate(RINGS):
        ball, _ = eye_ball(FittedFace(fit, model, {}), face, camera, side)
        landmarks.points[list(iris)] = ball.screen_of(circle)[:, :2]
    return FittedFace(fit, model, {}), Photo(draw(model, face, camera).clamp(0, 1))


def pixels():
    """The centres of the pixels of a photo."""
    y, x = torch.meshgrid(torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5, indexing="ij")
    return torch.stack([x, y], dim=-1)

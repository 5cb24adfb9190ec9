"""Landmarks without irises, as MediaPipe's 468 points."""

import torch

from morphface.fit import fit_linear
from morphface.fit.analysis.markers import detected, iris_gaze
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.state import first_look
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.models import load_model


def test_irises_that_are_absent_say_nothing_of_the_gaze():
    model, size = load_model(), (300, 400)
    head = model.landmark_embedding("478").points(model.identity.mean)
    camera = Camera.facing(size, focal=500.0)
    points = camera.project(head - torch.tensor([0.0, 0.0, 600.0]))[:, :2]
    sure = (torch.arange(478) < 468).float()
    start = fit_linear(model, Landmarks(points, "478", sure, box_of(points)), size=size)
    look = first_look(start.parameters, start.camera, torch.zeros(*size, 3))
    marks = detected(model, start, look, PhotometricSettings())
    assert iris_gaze(marks, look) == (None, None)

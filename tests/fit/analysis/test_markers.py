"""Landmarks without irises, as MediaPipe's 468 points."""

import torch

from morphface.fit import fit_linear
from morphface.fit.analysis.markers import detected, iris_gaze, markers_at
from morphface.fit.analysis.problem import surface_at
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.state import first_look
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.landmarks.schemes import SCHEMES
from morphface.models import load_model


def seen_ahead(sure):
    """The mean head's landmarks with a confidence, and where a fit of them begins."""
    model, size = load_model(), (300, 400)
    head = model.landmark_embedding("478").points(model.identity.mean)
    camera = Camera.facing(size, focal=500.0)
    points = camera.project(head - torch.tensor([0.0, 0.0, 600.0]))[:, :2]
    start = fit_linear(model, Landmarks(points, "478", sure, box_of(points)), size=size)
    look = first_look(start.parameters, start.camera, torch.zeros(*size, 3))
    return model, start, look, detected(model, start, look, PhotometricSettings())


def test_irises_that_are_absent_say_nothing_of_the_gaze():
    _, _, look, marks = seen_ahead((torch.arange(478) < 468).float())
    assert iris_gaze(marks, look) == (None, None)


def test_the_lids_of_an_eye_count_as_many_points_as_the_settings_say():
    model, _, look, marks = seen_ahead(torch.ones(478))
    lids = list(SCHEMES["478"].groups["left_eye"])
    surface = surface_at(model, look)

    def worth(count):
        settings = PhotometricSettings(independent_lids=count)
        root = markers_at(marks, surface, look, settings).root
        return root.square().sum(dim=(1, 2)) * marks.noise**2

    two, four = worth(2.0), worth(4.0)
    torch.testing.assert_close(four[lids], 2 * two[lids])
    other = torch.ones(478, dtype=torch.bool)
    other[lids + list(SCHEMES["478"].groups["right_eye"])] = False
    torch.testing.assert_close(four[other], two[other])
    ahead = torch.from_numpy(marks.trust).to(two)[lids] > 0.9
    assert (two[lids][ahead] <= 2 * 2.0 / len(lids) + 1e-6).all()

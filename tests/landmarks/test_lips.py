from dataclasses import replace

import torch

from morphface.landmarks.lips import on_their_lips
from morphface.models import load_model

UPPER, LOWER = (80, 81, 82, 13, 312, 311, 310), (88, 178, 87, 14, 317, 402, 318)
"""Inner landmarks of the lips, those above each other in the same place."""


def drops(model, triangles, barycentric):
    """Millimetres that points drop when the jaw opens."""
    falls = -model.expression.directions[model.expression.names.index("jawOpen"), :, 1]
    return (falls[triangles] * barycentric).sum(-1)


def test_each_inner_lip_moves_with_its_own_lip():
    model = load_model()
    found = model.landmark_embedding("478")
    drop = drops(model, found.triangles, found.barycentric)
    assert (drop[list(LOWER)] > drop[list(UPPER)] + 10).all()
    inner = model.landmark_embedding("68")
    drop = drops(model, inner.triangles, inner.barycentric)
    assert (drop[[67, 66, 65]] > drop[[61, 62, 63]] + 10).all()


def test_a_landmark_on_the_wrong_lip_is_moved_to_the_right_one():
    model = load_model()
    found = model.landmark_embedding("478")
    triangles, barycentric = found.triangles.clone(), found.barycentric.clone()
    triangles[[81, 87]] = found.triangles[[178, 82]]  # each on the other lip
    barycentric[[81, 87]] = found.barycentric[[178, 82]]
    skin = torch.ones(len(model.faces), dtype=torch.bool)
    triangles, barycentric = on_their_lips(model, triangles, barycentric, skin)
    drop = drops(model, triangles, barycentric)
    assert drop[81] < 10 < drop[87]
    others = [k for k in range(478) if k not in (81, 87)]
    assert torch.equal(triangles[others], found.triangles[others])
    place = (model.identity.mean[triangles] * barycentric[..., None]).sum(1)
    first = found.points(model.identity.mean)
    assert (place - first)[[178, 82]].norm(dim=-1).max() < 1e-3
    wrong = first[[178, 82]]  # no point of their own lip is nearer to where they were
    moved, known = ((points[[81, 87]] - wrong).norm(dim=-1) for points in (place, first))
    assert (moved <= known + 1e-3).all()


def test_a_model_whose_mouth_does_not_open_is_left_alone():
    model = load_model()
    kept = model.expression.names.index("eyeBlinkLeft")
    basis = replace(
        model.expression,
        directions=model.expression.directions[kept : kept + 1],
        names=("eyeBlinkLeft",),
        bounds=model.expression.bounds[:1],
    )
    closed = replace(model, expression=basis)
    found = model.landmark_embedding("478")
    skin = torch.ones(len(model.faces), dtype=torch.bool)
    triangles, _ = on_their_lips(closed, found.triangles, found.barycentric, skin)
    assert triangles is found.triangles

"""A small model with a neck, a jaw and eyeballs that turn."""

import torch

from morphface.models import (
    ArticulatedModel,
    ExpressionBasis,
    Eye,
    LandmarkEmbedding,
    LinearBasis,
    Rig,
)
from tests.toy import smooth_fields, sphere

TURNS = ("neck_pitch", "neck_yaw", "neck_roll", "jaw_pitch", "jaw_yaw", "jaw_roll")
PARENTS = (-1, 0, 1, 1, 1)


def articulated(seed=0, identity=5, linear=4):
    """A head with neck, jaw and eyeballs, in float64 so that derivatives can be checked."""
    rng = torch.Generator().manual_seed(seed)
    unit, faces = sphere(14, 18)
    mean = unit * torch.tensor([75.0, 105.0, 90.0])
    size = len(unit)
    weights = torch.zeros(size, 5)
    weights[:, 2] = torch.sigmoid((-15.0 - mean[:, 1]) / 8.0) * (mean[:, 2] > 0)
    weights[:, 1] = 1 - weights[:, 2]
    balls = (torch.arange(0, 20), torch.arange(20, 40))
    for joint, ball in zip((3, 4), balls, strict=True):
        weights[ball] = torch.eye(5)[joint]
    places = torch.tensor([[0, -160, -40], [0, -90, -30], [0, -20, -10], [30, 0, 60], [-30, 0, 60]])
    joints = LinearBasis(places.float(), torch.randn(identity, 5, 3, generator=rng))
    rig = Rig(
        parents=PARENTS,
        joints=joints,
        moves=torch.randn(linear, 5, 3, generator=rng) * 0.3,
        weights=weights,
        correctives=smooth_fields(unit, 36, rng),
        turned=(1, 2),
        eyes=(3, 4),
    )
    turning = rig.turning(torch.zeros(6), mean, joints.mean)
    directions = torch.cat([smooth_fields(unit, linear, rng) * 3, turning])
    bounds = torch.tensor([[-torch.inf, torch.inf]] * linear + [[-0.6, 0.6]] * 6)
    names = (*(f"expression{k}" for k in range(linear)), *TURNS)
    eyes = tuple(
        Eye(ball, joints.mean[joint] - mean[ball].mean(0), 12.0, 6.0)
        for joint, ball in zip((3, 4), balls, strict=True)
    )
    model = ArticulatedModel(
        name="jointed",
        identity=LinearBasis(mean, smooth_fields(unit, identity, rng) * 4),
        expression=ExpressionBasis(directions, names, bounds),
        faces=faces,
        eyes=eyes,
        landmarks={"toy": _points(unit, faces, rng)},
        rig=rig,
    )
    return model.map(lambda t: t.double() if t.is_floating_point() else t)


def _points(unit, faces, rng, count=90):
    """Points on the front, none of them on an eyeball."""
    front = (unit[faces].mean(1)[:, 2] > 0.2) & (faces >= 40).all(dim=1)
    front = torch.nonzero(front)[:, 0]
    chosen = front[torch.randperm(len(front), generator=rng)[:count]]
    return LandmarkEmbedding(faces[chosen], torch.full((count, 3), 1 / 3), torch.ones(count))

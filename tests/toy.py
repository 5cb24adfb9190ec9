"""A small morphable model drawn from a seed: the fixture of the whole suite."""

import torch

from morphface.models import ExpressionBasis, LandmarkEmbedding, LinearBasis, MorphableModel


def sphere(rings: int = 18, segments: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    """A closed unit sphere: vertices, and faces counter-clockwise seen from outside."""
    theta = torch.linspace(0, torch.pi, rings + 1)[1:-1]
    phi = torch.arange(segments) * (2 * torch.pi / segments)
    t, p = torch.meshgrid(theta, phi, indexing="ij")
    ring = torch.stack([t.sin() * p.sin(), t.cos(), t.sin() * p.cos()], dim=-1).reshape(-1, 3)
    poles = torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
    top, bottom = len(ring), len(ring) + 1
    faces = []
    for j in range(segments):
        k = (j + 1) % segments
        faces.append((top, j, k))
        for i in range(rings - 2):
            a, b = i * segments + j, i * segments + k
            faces += [(a, a + segments, b), (b, a + segments, b + segments)]
        last = (rings - 2) * segments
        faces.append((bottom, last + k, last + j))
    return torch.cat([ring, poles]), torch.tensor(faces)


def smooth_fields(unit: torch.Tensor, count: int, rng: torch.Generator) -> torch.Tensor:
    """Random smooth vector fields over the unit sphere, each of unit root mean square."""
    frequency = torch.randn(count, 3, 3, generator=rng) * 1.5
    phase = torch.rand(count, 3, generator=rng) * 6.28
    fields = torch.sin(torch.einsum("vc,kdc->kvd", unit, frequency) + phase[:, None])
    return fields / fields.square().sum(-1).mean(-1).sqrt()[:, None, None]


def toy_model(
    seed: int = 0, identity: int = 6, expression: int = 4, landmarks: int = 80
) -> MorphableModel:
    """An egg-shaped head with smooth random bases and `landmarks` points on its front."""
    rng = torch.Generator().manual_seed(seed)
    unit, faces = sphere()
    mean = unit * torch.tensor([75.0, 105.0, 90.0]) + torch.tensor([0.0, -10.0, -80.0])
    directions = smooth_fields(unit, identity, rng) * 4.0
    moves = smooth_fields(unit, expression, rng) * 8.0
    front = torch.nonzero(unit[faces].mean(1)[:, 2] > 0.2)[:, 0]
    chosen = front[torch.randperm(len(front), generator=rng)[:landmarks]]
    weights = torch.rand(landmarks, 3, generator=rng) + 0.1
    tone = torch.tensor([0.6, 0.45, 0.38]).expand_as(mean).clone()
    return MorphableModel(
        name="toy",
        identity=LinearBasis(mean, directions),
        expression=ExpressionBasis(
            moves,
            tuple(f"move{k}" for k in range(expression)),
            torch.tensor([[0.0, 1.0]]).repeat(expression, 1),
        ),
        faces=faces,
        reflectance=LinearBasis(tone, smooth_fields(unit, 3, rng) * 0.03),
        landmarks={
            "toy": LandmarkEmbedding(
                faces[chosen], weights / weights.sum(-1, keepdim=True), torch.ones(landmarks)
            )
        },
    )

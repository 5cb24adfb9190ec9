"""Landmarks of a known face: what every fit test starts from."""

from dataclasses import dataclass

import torch

from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks.points import Landmarks
from morphface.models import Eye, LandmarkEmbedding, MorphableModel
from morphface.parameters import FaceParameters
from tests.toy import toy_model

SIZE = (480, 640)


@dataclass
class Scene:
    """A face, who it is, and what is seen of it."""

    model: MorphableModel
    parameters: FaceParameters
    camera: Camera
    landmarks: Landmarks

    @property
    def vertices(self) -> torch.Tensor:
        return self.model.vertices(
            self.parameters.identity, self.parameters.expression, self.parameters.gaze
        )[0]


def scene(
    model: MorphableModel | None = None,
    seed: int = 0,
    *,
    scheme: str = "toy",
    noise: float = 0.0,
    depth: bool = True,
    focal: float = 900.0,
    gaze: torch.Tensor | None = None,
    expression: torch.Tensor | None = None,
) -> Scene:
    """A random head of `model`, and its landmarks with `noise` pixels of error."""
    model = model or toy_model()
    rng = torch.Generator().manual_seed(seed)
    weights = torch.rand(1, model.expression.rank, generator=rng)
    drawn = FaceParameters(
        identity=torch.randn(1, model.identity.rank, generator=rng),
        expression=weights if expression is None else expression,
        reflectance=torch.zeros(1, 3),
        illumination=torch.zeros(1, 9, 3),
        rotation=torch.rand(1, 3, generator=rng) - 0.5,
        translation=torch.tensor([[15.0, -25.0, -700.0]]),
        gaze=torch.zeros(1, 2, 2) if gaze is None else gaze[None],
    )
    camera = Camera.facing(SIZE, focal=focal)
    vertices = model.vertices(drawn.identity, drawn.expression, drawn.gaze)
    points = model.landmarks[scheme].points(vertices)
    screen = camera.project(to_camera(points, drawn.rotation, drawn.translation))[0]
    relative = (screen[:, 2] - screen[:, 2].mean()) * focal / screen[:, 2].mean()
    seen = torch.column_stack([screen[:, :2], relative])
    seen = seen + noise * torch.randn(seen.shape, generator=rng)
    found = Landmarks(
        points=seen[:, :2],
        scheme=scheme,
        confidence=torch.ones(len(seen)),
        box=(0.0, 0.0, 1.0, 1.0),
        depth=seen[:, 2] if depth else None,
    )
    return Scene(model, drawn, camera, found)


def model_with_eyes() -> MorphableModel:
    """The toy head with two small spheres for eyes, five landmarks on the front of each."""
    plain = toy_model()
    unit = torch.nn.functional.normalize(
        torch.tensor(
            [[0.0, 0, 1], [0.4, 0, 1], [-0.4, 0, 1], [0, 0.4, 1], [0, -0.4, 1], [0, 0, -1]]
        ),
        dim=1,
    )
    centres = torch.tensor([[30.0, 0.0, -8.0], [-30.0, 0.0, -8.0]])
    balls = (centres[:, None] + 12.0 * unit).flatten(0, 1)
    size, rest = plain.size, torch.zeros
    shift = torch.tensor([[0.5, 0.2, -0.3]]).repeat(len(balls), 1)
    fan = torch.tensor([[0, 1, 3], [0, 3, 2], [0, 2, 4], [0, 4, 1], [1, 5, 3]])
    faces = torch.cat([fan + size, fan + size + 6])
    skin = plain.landmarks["toy"]
    corners = torch.cat([torch.arange(5) + size, torch.arange(5) + size + 6])
    irises = LandmarkEmbedding(
        triangles=torch.cat([skin.triangles, corners[:, None].repeat(1, 3)]),
        barycentric=torch.cat([skin.barycentric, torch.tensor([[1.0, 0, 0]]).repeat(10, 1)]),
        confidence=torch.ones(len(skin) + 10),
    )
    eyes = tuple(
        Eye(
            vertices=torch.arange(6) + size + 6 * side,
            centre_offset=centres[side] - balls[6 * side : 6 * side + 6].mean(0),
            radius=12.0,
            iris_radius=5.0,
        )
        for side in (0, 1)
    )
    identity, expression = plain.identity, plain.expression
    return MorphableModel(
        name="toy with eyes",
        identity=type(identity)(
            torch.cat([identity.mean, balls]),
            torch.cat([identity.directions, shift.expand(identity.rank, -1, -1)], dim=1),
        ),
        expression=type(expression)(
            torch.cat([expression.directions, rest(expression.rank, len(balls), 3)], dim=1),
            expression.names,
            expression.bounds,
        ),
        faces=torch.cat([plain.faces, faces]),
        eyes=(eyes[0], eyes[1]),
        landmarks={"toy": irises},
    )

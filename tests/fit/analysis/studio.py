"""Pictures of known faces, and the scene that made them: what the tests of the fit start from."""

from dataclasses import dataclass, replace

import torch

from morphface.fit import FitResult
from morphface.fit.analysis.lens import Lens, View, crop
from morphface.fit.analysis.problem import surface_at
from morphface.fit.analysis.sampling import see
from morphface.fit.analysis.scene import Scene, scene_of
from morphface.fit.analysis.state import Look, first_look
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks.points import Landmarks
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render import interpolate
from tests.toy import toy_model

SIZE = (96, 96)
FOCAL = 260.0
BACKGROUND = (0.2, 0.3, 0.25)


@dataclass
class Studio:
    """A face, its camera and its picture."""

    model: MorphableModel
    parameters: FaceParameters
    camera: Camera
    scheme: str
    shade: float = 0.0

    @property
    def look(self) -> Look:
        look = first_look(self.parameters, self.camera, torch.zeros(()))
        return replace(look, shade=torch.tensor(self.shade))

    @property
    def scene(self) -> Scene:
        return scene_of(surface_at(self.model, self.look), self.look)

    @property
    def lens(self) -> Lens:
        centre = self.camera.principal
        return Lens(centre, torch.zeros(2), torch.ones(2))

    def photo(self) -> torch.Tensor:
        """The face before a background, each pixel the mean of four."""
        height, width = self.camera.size
        fine = replace(self.lens, scale=torch.tensor([2.0, 2.0]))
        blank = torch.tensor(BACKGROUND).expand(2 * height, 2 * width, 3)
        view = View(blank, torch.zeros(*blank.shape, 2), torch.ones(blank.shape[:2]), fine)
        scene = self.scene
        found = see(scene, view)
        colour = interpolate(scene.colours[None], scene.surface.faces, found)[0]
        image = torch.where(found.mask[0][..., None], colour, blank).clamp(0, 1)
        return image.reshape(height, 2, width, 2, 3).mean(dim=(1, 3))

    def landmarks(self) -> Landmarks:
        """Exact ones."""
        p = self.parameters
        vertices = self.model.vertices(p.identity, p.expression, p.gaze)
        points = self.model.landmarks[self.scheme].points(vertices)
        flat = self.camera.project(to_camera(points, p.rotation, p.translation))[0, :, :2]
        return Landmarks(flat, self.scheme, torch.ones(len(flat)), (0.0, 0.0, 1.0, 1.0))

    def start(self, parameters: FaceParameters) -> FitResult:
        """What a linear fit would say that found these parameters."""
        marks = self.landmarks()
        return FitResult(parameters, self.camera, marks, marks.points, 0.0, True, "", ())


def studio(model: MorphableModel | None = None, seed: int = 0, scheme: str = "toy") -> Studio:
    """A random face of `model`, turned a little, in a light from one side."""
    model, rng = model or toy_model(), torch.Generator().manual_seed(seed)
    light = torch.randn(1, 9, 3, generator=rng) * 0.05
    light[0, 3] -= 0.3
    colours = 0 if model.reflectance is None else model.reflectance.rank
    parameters = FaceParameters(
        identity=torch.randn(1, model.identity.rank, generator=rng),
        expression=torch.rand(1, model.expression.rank, generator=rng) * 0.5,
        reflectance=torch.randn(1, colours, generator=rng) * 0.5,
        illumination=light,
        rotation=torch.tensor([[0.1, 0.25, -0.05]]),
        translation=torch.tensor([[4.0, 20.0, -640.0]]),
        gaze=torch.zeros(1, 2, 2),
    )
    return Studio(model, parameters, Camera.facing(SIZE, focal=FOCAL), scheme)


def whole_view(photo: torch.Tensor, lens: Lens) -> View:
    """All of a photo, as it is."""
    height, width = photo.shape[:2]
    return crop(photo, lens, (0, 0, width, height), ratio=1.0, mix=None)


def perturbed(parameters: FaceParameters, seed: int = 1) -> FaceParameters:
    """Nearly those parameters, as a linear fit finds them: no reflectance and no light."""
    rng = torch.Generator().manual_seed(seed)

    def noisy(name: str, size: float) -> torch.Tensor:
        value = getattr(parameters, name)
        return value + torch.randn(value.shape, generator=rng) * size

    return replace(
        parameters,
        identity=noisy("identity", 1.2),
        expression=noisy("expression", 0.15).clamp(0, 1),
        reflectance=torch.zeros_like(parameters.reflectance),
        illumination=torch.zeros_like(parameters.illumination),
        rotation=noisy("rotation", 0.03),
        translation=noisy("translation", 2.0),
        gaze=torch.zeros_like(parameters.gaze),
    )

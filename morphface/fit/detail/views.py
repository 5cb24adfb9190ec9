"""Photos on a fitted surface, whose pose and heights may still be a little off.

What a texel shows of a photo slides when the head moves, and when the texel rises: by as much along
the surface as its way along the line of sight leads back to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.fit.analysis.lens import look_up
from morphface.fit.analysis.result import PhotometricResult
from morphface.fit.detail.bands import HALF
from morphface.fit.detail.equations import DARKEST
from morphface.fit.detail.grid import Grid, Ground
from morphface.fit.fitted import FittedFace
from morphface.geometry.mesh import normalized
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.render.blur import blurred
from morphface.render.sight import Sight, trust
from morphface.render.texture import sample_texture

__all__ = [
    "LOOSE",
    "PAINTED",
    "PhotoOnSurface",
    "check_pairs",
    "on_surface",
    "pixels_of",
    "raised",
    "share_without",
]

LOOSE = ("lashes", "eyeballs", "eye_sockets", "mouth", "teeth", "tongue", "gums")
"""Parts that are not of the surface, or move on it."""
PAINTED = (*LOOSE, "brows", "lips")
"""Those, and parts whose hairs, paint or shine are no relief of skin."""
MOST = 0.05
"""Logarithms beyond this are as this: edges of shadows are not to outshout skin; measured."""


@dataclass(frozen=True, eq=False)
class PhotoOnSurface(Record):
    """A photo and the n texels of a grid in its camera.

    Args:
        ground: the surface in the camera frame.
        sight: the photo, and the mesh as it was fitted.
        trust: in what the photo shows of each texel, if nothing is before it.
        bare: how likely nothing is.
        turn: what the pose was turned by since.
        shift: and shifted by, after it.
    """

    ground: Ground
    sight: Sight
    trust: Float[Tensor, " n"]
    bare: Float[Tensor, " n"]
    turn: Float[Tensor, "3 3"]
    shift: Float[Tensor, "3"]

    def colours(self, heights: Float[Tensor, " n"] | None = None) -> Float[Tensor, "n 3"]:
        """Of the texels, or of the points so many millimetres over them."""
        return self.shown_in(self.sight.pixels, heights)

    def band(
        self, finest: float, coarsest: float, heights: Float[Tensor, " n"]
    ) -> Float[Tensor, " n"]:
        """Logarithms of the points' brightness between two wavelengths in millimetres."""
        return self.shown_in(self.banded(finest, coarsest), heights)[:, 0]

    def banded(self, finest: float, coarsest: float) -> Float[Tensor, "H W 1"]:
        """Logarithms of the photo's brightness, of waves that are so long on the face."""
        (left, top), (width, height) = self.sight.view.corner, self.sight.view.extent
        part = slice(top, top + height), slice(left, left + width)
        tone = (self.sight.pixels[part].clamp(min=0) + DARKEST).log().mean(-1)
        pixel = float(-self.ground.points[:, 2].mean() / self.sight.camera.focal)
        fine, wide = (_smoothed(tone, HALF * w / pixel) for w in (finest, coarsest))
        out = torch.zeros(*self.sight.pixels.shape[:2], 1)
        out[part] = (fine - wide).clamp(-MOST, MOST)[..., None]
        return out

    def shown_in(
        self, picture: Float[Tensor, "H W C"], heights: Float[Tensor, " n"] | None
    ) -> Float[Tensor, "n C"]:
        """Values of a picture that lies on the photo, at the points over the texels."""
        points = self.ground.points
        if heights is not None:
            points = points + heights[:, None] * self.ground.normals
        height, width = picture.shape[:2]
        place = self.sight.camera.project(points)[:, :2] / points.new_tensor([width, height])
        uv = torch.stack([place[:, 0], 1 - place[:, 1]], dim=-1)
        return sample_texture(picture[None], uv[None, None])[0, 0]

    def slide(self) -> Float[Tensor, "n 3 3"]:
        """Along the surface, by millimetres that a texel moves in the camera frame."""
        normals = self.ground.normals
        line = normalized(-self.ground.points)
        facing = (line * normals).sum(-1).clamp(min=0.2)
        return torch.eye(3) - line[:, :, None] * normals[:, None] / facing[:, None, None]

    def moved(self, turn: Float[Tensor, "3 3"], shift: Float[Tensor, "3"]) -> "PhotoOnSurface":
        """The head `turn @ X + shift`."""
        old = self.ground
        tangents = torch.cat([old.tangents[:, :3] @ turn.mT, old.tangents[:, 3:]], dim=-1)
        ground = Ground(
            old.points @ turn.mT + shift, old.normals @ turn.mT, old.inverse @ turn.mT, tangents
        )
        shift = turn @ self.shift + shift
        return replace(self, ground=ground, turn=turn @ self.turn, shift=shift)


def _smoothed(plane: Float[Tensor, "h w"], width: float) -> Float[Tensor, "h w"]:
    """As if the picture went on beyond its border."""
    both = blurred(torch.stack([plane, torch.ones_like(plane)]), width, step=max(1, int(width / 2)))
    return both[0] / both[1].clamp(min=1e-6)


def check_pairs(faces: Sequence[FittedFace], photos: Sequence[Photo]) -> None:
    """Refuses what is not one person's faces in so many photos, fitted to pixels.

    Raises:
        ParameterError: there are no photos, not as many as faces, the models differ, or a face was
            fitted to landmarks alone.
    """
    if len(faces) != len(photos):
        raise ParameterError(f"faces and photos must pair up, got {len(faces)} and {len(photos)}")
    if not faces:
        raise ParameterError("photos must hold at least one photo, got none")
    names = sorted({face.model.name for face in faces})
    if len(names) > 1:
        raise ParameterError(f"all faces must have one model, got {', '.join(names)}")
    for face in faces:
        pixels_of(face)


def pixels_of(face: FittedFace) -> PhotometricResult:
    """What pixels say of a face.

    Raises:
        ParameterError: it was fitted to landmarks alone.
    """
    if face.pixels is None:
        raise ParameterError(
            "detail needs the light of the photo, which only pixels tell; fit with stage='pixels'"
        )
    return face.pixels


def on_surface(face: FittedFace, photo: Photo, grid: Grid) -> PhotoOnSurface:
    """What a photo shows of the texels of a grid.

    Args:
        face: fitted to pixels.
        photo: that it was fitted to.
        grid: of texels.
    """
    posed, model = face.vertices_in_camera(), face.model
    ground = grid.ground(model, posed)
    sight = Sight(photo.pixels, face.camera, posed, model.faces)
    confidence, _ = trust(sight.view, sight, ground.points, ground.normals)
    screen = face.camera.project(ground.points)[:, :2]
    bare = 1 - look_up(pixels_of(face).occlusion[0][..., None], screen)[:, 0].clamp(0, 1)
    return PhotoOnSurface(ground, sight, confidence, bare, torch.eye(3), torch.zeros(3))


def share_without(grid: Grid, model: MorphableModel, parts: Sequence[str]) -> Float[Tensor, " n"]:
    """How far each texel is of the face and of none of the parts that are named."""
    regions = model.regions or {}
    out = regions.get("face", torch.ones(model.size)).clone()
    for name in parts:
        out = out * (1 - regions.get(name, torch.zeros(model.size)))
    return grid.at(out[:, None], model)[:, 0]


def raised(ground: Ground, relief: Float[Tensor, "n 3"]) -> Ground:
    """The surface with relief.

    Args:
        ground: without.
        relief: slopes along columns and rows, and heights in millimetres.
    """
    gradient = (ground.inverse.mT @ relief[:, :2, None])[..., 0]
    points = ground.points + relief[:, 2:] * ground.normals
    return replace(ground, points=points, normals=normalized(ground.normals - gradient))

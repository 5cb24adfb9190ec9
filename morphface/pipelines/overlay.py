"""The picture that shows a fit: photo, landmarks, and what the fit makes of the pixels."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.fitted import FittedFace
from morphface.fit.texture.ambient import ambient
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.landmarks import Landmarks
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.pipelines.window import DARK, LIGHT, picture_tensor, window_around
from morphface.render import FineColours, Rendered, Renderer, shade_plain, shade_sh
from morphface.render.detail import detailed_normals

__all__ = [
    "LINEAR_PANEL",
    "PANEL",
    "STRIP",
    "draw_overlay",
    "face_colours",
    "relit",
    "render_face",
    "with_landmarks",
]

PANEL = 480
"""Side of each of the eight panels in pixels."""
LINEAR_PANEL = 640
"""The same of the three panels of a fit without pixels."""
STRIP = 34
OPACITY = 0.65
RESIDUAL_SCALE = 4.0
_SHADING = 0.6
_BEYOND = tuple(channel / 255 for channel in DARK)
_FINE = 2
_DETECTED = (70, 230, 120, 255)
_RESIDUAL = (255, 70, 70, 255)
_HIDDEN = (1.0, 0.25, 0.2)


def draw_overlay(face: FittedFace, photo: Photo) -> Float[Tensor, "H W 3"]:
    """Panels side by side, with a caption.

    Photo, overlay with landmarks, and mesh. A dot is a landmark as detected; the line from it
    leads to where the fitted head has it. A fit of pixels adds the rendered face, and a second
    row: its difference from the photo (grey is none), albedo, shading, and what was taken to
    hide the face (red).

    Args:
        face: the fitted face.
        photo: that it was fitted to.
    """
    side = LINEAR_PANEL if face.pixels is None else PANEL
    window = window_around(face.fit.landmarks.box, side)
    ground = window.apply(photo.pixels, _BEYOND)
    mesh = relit(face, render_face(face, window, None), "lamp")
    overlay = with_landmarks(
        mesh.over(ground, OPACITY)[0], face.fit.landmarks, face.predicted, window
    )
    alone = mesh.over(torch.tensor(DARK) / 255)[0]
    rows = [{"photo": ground, "landmarks": overlay, "mesh": alone}]
    if face.pixels is not None:
        rows = _pixel_rows(face, photo, window, rows[0])
    named = [torch.cat([_named(panel, name) for name, panel in row.items()], dim=1) for row in rows]
    return torch.cat([*named, _caption(face, named[0].shape[1])], dim=0)


def _pixel_rows(
    face: FittedFace, photo: Photo, window: Crop, first: dict[str, Tensor]
) -> list[dict[str, Tensor]]:
    """Two rows of four panels."""
    albedo, shading, colours = face_colours(face)
    ground, dark = first["photo"], torch.tensor(DARK) / 255
    drawn = relit(face, render_face(face, window, colours), "light").over(ground)[0]
    bare = render_face(face, window, _SHADING * shading)
    difference = 0.5 + RESIDUAL_SCALE * (drawn - ground)
    return [
        {
            "photo": ground,
            "landmarks": first["landmarks"],
            "rendered": drawn,
            "mesh": first["mesh"],
        },
        {
            f"difference x {RESIDUAL_SCALE:g}": difference.clamp(0, 1),
            "albedo": render_face(face, window, albedo).over(dark)[0],
            "shading": relit(face, bare, "light").over(dark)[0],
            "hidden": _hidden(face, photo, window),
        },
    ]


def face_colours(face: FittedFace) -> tuple[FineColours, Tensor, FineColours]:
    """Albedo, the shading of the vertices, and their product as the photo shows it.

    Lids shade eyeballs, and lips the tongue; teeth stand where light reaches them.
    """
    seen, p, model = face.pixels, face.parameters, face.model
    vertices = face.vertices_in_camera()
    normals = vertex_normals(vertices, model.faces)
    albedo = face.fine_albedo()
    light = p.illumination[0]
    reached = ambient(model)
    reached = reached.lerp(torch.ones_like(reached), model.regions.get("teeth", reached * 0))
    shading = shade_sh(torch.ones_like(vertices), normals, light) * reached[:, None]
    colours = albedo.times(shading).values
    if seen is not None:
        if seen.grey[0]:
            colours = colours @ colours.new_tensor(LUMINANCE)[:, None]
        colours = colours * seen.gain[0]
    return albedo, shading, replace(albedo, values=colours.clamp(0, 1))


def _hidden(face: FittedFace, photo: Photo, window: Crop) -> Float[Tensor, "S S 3"]:
    """The photo, grey and dim, with red where something hides the face."""
    cover = torch.zeros(photo.size) if face.pixels is None else face.pixels.occlusion[0]
    shown = window.apply(cover[..., None])
    ground = window.apply(photo.pixels, _BEYOND)
    dim = 0.6 * ground.mean(dim=-1, keepdim=True).expand(-1, -1, 3)
    return torch.lerp(dim, dim.new_tensor(_HIDDEN).expand_as(dim), 0.8 * shown)


def render_face(
    face: FittedFace, window: Crop, colours: Float[Tensor, "V 3"] | FineColours | None
) -> Rendered:
    """The fitted head as the window shows it; grey clay without colours.

    Args:
        face: the fitted face.
        window: a part of the photo that it was fitted to.
        colours: of the vertices, or finer.
    """
    renderer = Renderer.of(face.model, window.camera(face.camera))
    shown = colours.clamp(0, 1)[None] if isinstance(colours, Tensor) else colours
    return renderer(face.vertices_in_camera()[None], colours=shown)


def relit(face: FittedFace, drawn: Rendered, source: str) -> Rendered:
    """What was drawn of a face, its light as the relief of the face catches it.

    Args:
        face: whose relief it is; without any, nothing changes.
        drawn: its mesh.
        source: "light" of the photo, or the "lamp" of grey clay.
    """
    if face.detail is None:
        return drawn
    plain, found = drawn.normals, drawn.fragments
    fine = detailed_normals(face.model, face.detail, drawn.vertices, plain, found)
    before, after = (_brightness(face, normals, source) for normals in (plain, fine))
    factor = torch.where(found.mask[..., None], after / before.clamp(min=0.05), 1.0)
    return replace(drawn, colour=(drawn.colour * factor.clamp(0, 4)).clamp(0, 1))


def _brightness(face: FittedFace, normals: Tensor, source: str) -> Float[Tensor, "1 H W 3"]:
    if source == "lamp":
        return shade_plain(normals)
    light = irradiance(face.parameters.illumination[0], normals.flatten(1, 2))
    return light.unflatten(1, normals.shape[1:3])


def with_landmarks(
    panel: Float[Tensor, "S S 3"],
    landmarks: Landmarks,
    predicted: Float[Tensor, "N 2"],
    window: Crop,
) -> Float[Tensor, "S S 3"]:
    """A dot for each landmark as detected, and a line to where the fitted head has it.

    Draws at a multiple of the size, so that lines are smooth.

    Args:
        panel: what to draw on.
        landmarks: as detected.
        predicted: where the fitted head has them.
        window: the part of the photo that the panel shows.
    """
    side = window.size
    layer = Image.new("RGBA", (side * _FINE, side * _FINE))
    pen = ImageDraw.Draw(layer)
    present = landmarks.confidence > 0
    found = window.inside(landmarks.points[present]) * _FINE
    fitted = window.inside(predicted[present]) * _FINE
    for (x, y), (to_x, to_y) in zip(found.tolist(), fitted.tolist(), strict=True):
        pen.line((x, y, to_x, to_y), fill=_RESIDUAL, width=_FINE)
        pen.ellipse((x - 1.6, y - 1.6, x + 1.6, y + 1.6), fill=_DETECTED)
    small = layer.resize((side, side), Image.Resampling.BOX)
    values = torch.from_numpy(np.array(small)).float() / 255
    return torch.lerp(panel, values[..., :3], values[..., 3:])


def _named(panel: Float[Tensor, "S S 3"], name: str) -> Float[Tensor, "S S 3"]:
    """The panel with its name in the corner."""
    image = Image.fromarray((panel * 255).round().to(torch.uint8).numpy())
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    left, top, right, bottom = pen.textbbox((9, 7), name, font=font)
    pen.rectangle((left - 5, top - 4, right + 5, bottom + 4), fill=DARK)
    pen.text((9, 7), name, fill=LIGHT, font=font)
    return picture_tensor(image)


def _caption(face: FittedFace, width: int) -> Float[Tensor, "s W 3"]:
    pose = "   ".join(
        f"{name} {value:+.1f}\N{DEGREE SIGN}" for name, value in face.pose_degrees.items()
    )
    verdict = "converged" if face.converged else f"not converged: {face.reason}"
    error = f"landmark error {100 * face.landmark_nme:.2f} % of the eye distance"
    if face.pixels is not None:
        error += f"   colour error {face.pixels.photometric_rmse[0]:.3f}"
    strip = Image.new("RGB", (width, STRIP), DARK)
    pen = ImageDraw.Draw(strip)
    text = f"{error}   {pose}   {verdict}"
    pen.text((12, STRIP / 2), text, fill=LIGHT, font=ImageFont.load_default(17), anchor="lm")
    return picture_tensor(strip)

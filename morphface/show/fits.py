"""Fits: what was fitted over what it was fitted to, and whether to trust it."""

from dataclasses import replace

import torch
from torch import Tensor

from morphface.fit import FitResult, PhotometricResult
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.geometry.camera import Camera, to_camera
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.models import MorphableModel
from morphface.pipelines.overlay import face_colours, render_face, with_landmarks
from morphface.pipelines.together import FittedPhotos
from morphface.pipelines.window import DARK, window_around
from morphface.render import Renderer
from morphface.show.cards import Card
from morphface.show.heads import guessed_model
from morphface.show.pictures import Picture, captioned, sheet, to_picture
from morphface.show.words import Rows, parameter_rows, verdict

__all__ = ["face_card", "fit_card", "photo_card", "photos_card", "pixels_card"]

_PANEL = 300
_HIGH, _WIDE = 240, 360
_MOST_FACES, _MOST_PHOTOS = 6, 3
_OPACITY = 0.7
_SAME = 0.02
"""How far the open head's landmarks may lie from the fit's, in extents of the face."""


def fit_card(fit: FitResult) -> Card:
    """Landmarks and where the fit has them, on the head if it is the open head's."""
    fit = fit.detach().to("cpu")
    model = _model_of(fit)
    steps = f"{len(fit.history)}, last residual {fit.history[-1]:.2f} pixels"
    rows = (
        ("verdict", verdict(fit.converged, fit.reason)),
        ("landmark error", _error(fit.landmark_nme)),
        ("landmarks", f"{len(fit.landmarks.points)} of scheme {fit.landmarks.scheme}"),
        ("steps", steps if fit.history else "none"),
        *parameter_rows(fit.parameters, model),
        ("picture size", _size(fit.camera.size)),
    )
    says = "detected landmarks, and lines to where the fitted head has them"
    return Card("FitResult", rows, lambda: _fit_picture(fit, model), says)


def pixels_card(fit: PhotometricResult) -> Card:
    """The landmarks of each photo, and how well the pixels are explained."""
    fit = fit.detach().to("cpu")
    each = [_of_photo(fit, k) for k in range(len(fit.cameras))]
    model = _model_of(each[0]) if each else None
    rows = (
        ("verdict", verdict(fit.converged, fit.reason)),
        ("photos", str(len(each))),
        ("landmark error", ", ".join(map(_error, fit.landmark_nme))),
        ("colour error", ", ".join(f"{value:.3f}" for value in fit.photometric_rmse)),
        ("steps", f"{fit.iterations}"),
        ("energies", ", ".join(f"{name} {value:.3g}" for name, value in fit.energies.items())),
        *parameter_rows(fit.parameters, model),
    )
    says = "detected landmarks, and lines to where the fitted head has them"
    return Card("PhotometricResult", rows, lambda: _pixels_picture(each, model), says)


def face_card(face: FittedFace) -> Card:
    """The rendered head as fitted, and its mesh with the landmarks."""
    pixels = face.pixels
    rows: Rows = (
        ("verdict", verdict(face.converged, face.reason)),
        ("landmark error", _error(face.landmark_nme)),
    )
    if pixels is not None:
        rows += (("colour error", f"{pixels.photometric_rmse[0]:.3f} (root mean square)"),)
    seconds = ", ".join(f"{name} {value:.2f}" for name, value in face.seconds.items())
    rows += (
        ("model", face.model.name),
        *parameter_rows(face.parameters, face.model),
        ("seconds", seconds or "not measured"),
    )
    return Card("FittedFace", rows, lambda: _face_picture(face), "the fitted head")


def photo_card(fitted: FittedPhoto) -> Card:
    """The photo with its heads, and each head close by."""
    count = len(fitted.faces)
    rows: Rows = (("photo", f"{fitted.photo.source}, {_size(fitted.photo.size)} pixels"),)
    rows += tuple(
        (f"face {k}", _in_short(face)) for k, face in enumerate(fitted.faces[:_MOST_FACES])
    )
    if count > _MOST_FACES:
        rows += (("more", f"{count - _MOST_FACES} faces"),)
    if count == 1:
        rows += parameter_rows(fitted.faces[0].parameters, fitted.faces[0].model)
    title = f"FittedPhoto, {count} face{'' if count == 1 else 's'}"
    return Card(title, rows, lambda: _photo_picture(fitted), "the photo and its fitted heads")


def photos_card(fitted: FittedPhotos) -> Card:
    """The heads close by, in front of their photos."""
    pairs = tuple(zip(fitted.photos, fitted.faces, strict=True))
    rows: Rows = tuple(
        (f"photo {k}", f"{photo.source}: {_in_short(face)}")
        for k, (photo, face) in enumerate(pairs[:_MOST_FACES])
    )
    if len(pairs) > _MOST_FACES:
        rows += (("more", f"{len(pairs) - _MOST_FACES} photos"),)
    return Card(
        f"FittedPhotos, {len(pairs)} photos of one person",
        rows,
        lambda: sheet([[_close(face, photo) for photo, face in pairs[:_MOST_PHOTOS]]]),
        "the fitted head in each photo",
    )


def _error(nme: float) -> str:
    return f"{100 * nme:.2f} % of the eye distance"


def _size(size: tuple[int, int]) -> str:
    return f"{size[1]} x {size[0]}"


def _in_short(face: FittedFace) -> str:
    pose = ", ".join(
        f"{name} {value:+.0f}\N{DEGREE SIGN}" for name, value in face.pose_degrees.items()
    )
    error = f"landmark error {_error(face.landmark_nme)}"
    return f"{verdict(face.converged, face.reason)}; {error}; {pose}"


def _model_of(fit: FitResult) -> MorphableModel | None:
    """The open head, if its landmarks are where the fit has them."""
    model = guessed_model(fit.parameters)
    if model is None or fit.landmarks.scheme not in model.landmarks:
        return None
    places = model.landmark_embedding(fit.landmarks.scheme).points(_vertices(fit, model))
    apart = (fit.camera.project(places)[:, :2] - fit.predicted).norm(dim=-1)
    extent = float((fit.predicted.amax(0) - fit.predicted.amin(0)).max())
    return model if float(apart.nanmedian()) <= _SAME * extent else None


def _vertices(fit: FitResult, model: MorphableModel) -> Tensor:
    p = fit.parameters
    shape = model.vertices(p.identity, p.expression, p.gaze)[0]
    return to_camera(shape, p.rotation[0], p.translation[0])


def _fit_picture(fit: FitResult, model: MorphableModel | None) -> Picture:
    window = window_around(fit.landmarks.box, _PANEL)
    ground = torch.tensor(DARK) / 255
    panel = ground.expand(_PANEL, _PANEL, 3)
    if model is not None:
        renderer = Renderer.of(model, window.camera(fit.camera))
        panel = renderer(_vertices(fit, model)[None]).over(ground)[0]
    return to_picture(with_landmarks(panel, fit.landmarks, fit.predicted, window))


def _of_photo(fit: PhotometricResult, k: int) -> FitResult:
    """What the fit says of one photo."""
    landmarks, predicted, nme = fit.landmarks[k], fit.predicted[k], fit.landmark_nme[k]
    verdict_of = fit.converged, fit.reason, fit.history
    return FitResult(fit.parameters[k], fit.cameras[k], landmarks, predicted, nme, *verdict_of)


def _pixels_picture(each: list[FitResult], model: MorphableModel | None) -> Picture | None:
    return sheet([[_fit_picture(fit, model) for fit in each[:_MOST_PHOTOS]]]) if each else None


def _face_picture(face: FittedFace) -> Picture:
    window = window_around(face.fit.landmarks.box, _PANEL)
    ground = torch.tensor(DARK) / 255
    mesh = render_face(face, window, None).over(ground)[0]
    panels = [to_picture(with_landmarks(mesh, face.fit.landmarks, face.predicted, window))]
    if face.pixels is not None:
        drawn = render_face(face, window, face_colours(face)[2]).over(ground)[0]
        panels = [captioned(to_picture(drawn), "rendered"), captioned(panels[0], "landmarks")]
    return sheet([panels])


def _photo_picture(fitted: FittedPhoto) -> Picture:
    panels = [captioned(_whole(fitted), "fit")]
    if len(fitted.faces) == 1:
        window = _window(fitted.faces[0])
        panels.append(captioned(to_picture(window.apply(fitted.photo.pixels)), "photo"))
    panels += [_close(face, fitted.photo) for face in fitted.faces[: 3 - len(panels)]]
    return sheet([panels])


def _window(face: FittedFace) -> Crop:
    return window_around(face.fit.landmarks.box, _HIGH)


def _close(face: FittedFace, photo: Photo) -> Picture:
    """The head as fitted in front of its part of the photo."""
    window = _window(face)
    colours = None if face.pixels is None else face_colours(face)[2]
    drawn = render_face(face, window, colours).over(window.apply(photo.pixels))[0]
    return captioned(to_picture(drawn), "mesh" if face.pixels is None else "rendered")


def _whole(fitted: FittedPhoto) -> Picture:
    """The whole photo, small, with the meshes in front of it."""
    height, width = fitted.photo.size
    share = min(_HIGH / height, _WIDE / width)
    small = to_picture(fitted.photo, max(1, round(share * max(height, width))))
    pixels = Photo(
        torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8).view(
            small.height, small.width, 3
        )
    ).pixels
    for face in fitted.faces:
        renderer = Renderer.of(face.model, _shrunk(face.camera, pixels))
        drawn = renderer(face.vertices_in_camera()[None])
        pixels = drawn.over(pixels, _OPACITY)[0]
    return to_picture(pixels)


def _shrunk(camera: Camera, pixels: Tensor) -> Camera:
    """The camera of the same photo with fewer pixels."""
    height, width = pixels.shape[:2]
    share = height / camera.size[0]
    return replace(
        camera, focal=camera.focal * share, principal=camera.principal * share, size=(height, width)
    )

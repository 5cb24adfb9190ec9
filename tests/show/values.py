"""Values to show, made without any file but the open head."""

import base64
import re
from dataclasses import replace
from io import BytesIO

import torch
from PIL import Image

from morphface.fit import FitResult, PhotometricResult
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import Landmarks
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.parameters.track import LOST, Track
from morphface.pipelines.together import FittedPhotos

SIZE = (96, 128)


def picture_in(html):
    """The picture inside HTML."""
    (body,) = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", html)
    return Image.open(BytesIO(base64.b64decode(body)))


def smiling():
    """The open head with two expressions."""
    face = FaceParameters.neutral()
    names = load_model().expression.names
    weights = face.expression.clone()
    weights[0, names.index("jawOpen")] = 0.7
    weights[0, names.index("mouthSmileLeft")] = 0.4
    return replace(face, expression=weights)


def film(frames, moving=("jawOpen", "browInnerUp")):
    """Frames in which the first named expression moves most."""
    face = FaceParameters.neutral(frames=frames)
    names = load_model().expression.names
    weights = face.expression.clone()
    for k, name in enumerate(moving):
        weights[:, names.index(name)] = torch.linspace(0, 0.8 / (k + 1), frames)
    return replace(face, expression=weights)


def track(frames, lost=()):
    """A track at 25 frames a second."""
    states = torch.zeros(frames, dtype=torch.long)
    states[list(lost)] = LOST
    return Track(
        film(frames),
        Camera.facing(SIZE),
        states,
        torch.arange(frames).double() / 25,
        torch.arange(frames),
        torch.full((frames,), 0.02),
        torch.zeros(frames, 4),
    )


def fit(parameters=None, model=None, **changes):
    """A fit of landmarks whose landmarks are where the head has them."""
    model, p = model or load_model(), parameters or smiling()
    (scheme, embedding), *_ = model.landmarks.items()
    shape = model.vertices(p.identity, p.expression, p.gaze)[0]
    camera = Camera.facing(SIZE)
    placed = to_camera(embedding.points(shape), p.rotation[0], p.translation[0])
    points = camera.project(placed)[:, :2]
    box = (*points.amin(0).tolist(), *points.amax(0).tolist())
    found = Landmarks(points + 0.5, scheme, torch.ones(len(points)), box)
    made = FitResult(p, camera, found, points, 0.0123, True, "", (3.0, 1.0, 0.5))
    return replace(made, **changes)


def pixels(of):
    """What the pixels say, as the landmarks do."""
    model = load_model()
    return PhotometricResult(
        parameters=of.parameters,
        cameras=(of.camera,),
        landmarks=(of.landmarks,),
        predicted=(of.predicted,),
        landmark_nme=(0.01,),
        photometric_rmse=(0.05,),
        energies={"photometric": 2.0, "identity": 0.5},
        history=(9.0, 4.0, 2.5),
        albedo=model.albedo(of.parameters.reflectance)[0],
        iterations=3,
        occlusion=(torch.zeros(SIZE),),
        gain=torch.ones(1, 3),
        grey=(False,),
        converged=True,
        reason="",
    )


def face(with_pixels=True, **changes):
    """A fitted face."""
    found = fit(**changes)
    return FittedFace(found, load_model(), {"fit": 0.1}, pixels(found) if with_pixels else None)


def photo(count=1, **changes):
    """A fitted photo, blue."""
    ground = torch.tensor([0.1, 0.2, 0.9]).expand(*SIZE, 3).contiguous()
    return FittedPhoto(Photo(ground), tuple(face(**changes) for _ in range(count)))


def photos(count=2, **changes):
    """Fitted photos of one person, all the same."""
    one = photo(**changes)
    return FittedPhotos((one.photo,) * count, one.faces * count)

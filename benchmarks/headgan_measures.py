"""What is measured of frames that a one-shot generator made, beside what it has to beat."""

import torch
from torch.nn.functional import interpolate

from benchmarks.common import DATA
from morphface.core.errors import NoFaceError
from morphface.evaluate import Csim, FeatureDistance, l1, psnr, ssim
from morphface.fit import fit_linear
from morphface.generate import Take, stacked_takes
from morphface.generate.networks.warp import warped
from morphface.geometry.angles import rotvec_to_angles
from morphface.landmarks import find_faces
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from morphface.models import load_model

FACES = 8
"""Frames of a method whose faces are found and fitted."""
ENLARGED = 4
SCHEME = "478"
WEIGHTS = DATA / "weights" / "face_recognition_sface_2021dec.onnx"


def shown(picture):
    """From 0 to 1, channels last."""
    return picture.permute(0, 2, 3, 1).div(2).add(0.5).clamp(0, 1)


def methods(takes: list[Take], generators: dict) -> dict[str, torch.Tensor]:
    """Frames by each method, and the true ones, from 0 to 1."""
    made = {name: [] for name in ("true", "photo", "moved by the mesh", *generators)}
    for start in range(0, len(takes), 8):
        batch = stacked_takes(takes[start : start + 8])
        one = batch.references[0]
        made["true"].append(shown(batch.frame))
        made["photo"].append(shown(one.photo))
        made["moved by the mesh"].append(shown(warped(one.photo, one.flow)))
        for name, generator in generators.items():
            with torch.no_grad():
                made[name].append(shown(generator(batch.window, batch.references)))
    return {name: torch.cat(parts) for name, parts in made.items()}


def gained(made, true):
    """The frames with the gain for each channel that fits best: exposure is nobody's fault."""
    gain = (made * true).sum((1, 2), keepdim=True) / made.square().sum((1, 2), keepdim=True)
    return (made * gain).clamp(0, 1)


def pictures_of(made, true, features: FeatureDistance) -> dict[str, float]:
    """Measures over whole pictures, as they are and with the best gain."""
    measures = {"l1": l1, "psnr": psnr, "ssim": ssim, "lite0": features}
    found = {}
    for kind, some in (("", made), (" with gain", gained(made, true))):
        for name, measure in measures.items():
            found[name + kind] = round(float(measure(some, true).mean()), 4)
    return found


def faces_of(pictures):
    """Landmarks of some pictures, enlarged, and the fits to them."""
    big = interpolate(pictures.permute(0, 3, 1, 2), scale_factor=ENLARGED, mode="bicubic")
    big = big.permute(0, 2, 3, 1).clamp(0, 1).contiguous()
    detector, model, found = MediaPipeDetector(), load_model(), []
    for picture in big:
        try:
            faces = find_faces(Photo(picture), detector)[1]
        except NoFaceError:
            faces = []
        if not faces or faces[0].scheme != SCHEME:  # five points are no face to fit
            found.append((None, None))
            continue
        fit = fit_linear(model, faces[0], size=tuple(picture.shape[:2]))
        found.append((faces[0], fit.parameters))
    return big, found


def fits_of(pictures):
    """What is measured in the faces of some pictures; None where there is none."""
    return [fit for _, fit in faces_of(pictures)[1]]


def people_of(made, wanted: list, photos) -> dict[str, float]:
    """Identity against the photo of each frame, pose in degrees and expression against what is
    wanted.
    """
    places = spread(len(made))
    big, found = faces_of(made[places])
    face, seen = faces_of(photos[places])
    turns, moves = [], []
    for (_, one), two in zip(found, wanted, strict=True):
        if one is None or two is None:
            continue
        apart = rotvec_to_angles(one.rotation[0]) - rotvec_to_angles(two.rotation[0])
        turns.append(float(apart.abs().mean().rad2deg()))
        moves.append(float((one.expression - two.expression).abs().sum()))
    out = {"faces found": len(turns), "ard": _mean(turns), "aed": _mean(moves)}
    if WEIGHTS.is_file():
        marks = [one for one, _ in found], [one for one, _ in seen]
        values = Csim.load(WEIGHTS)(big, face, marks)
        out["csim"] = _mean([float(value) for value in values if value.isfinite()])
    return out


def spread(count: int):
    """Numbers of the frames whose faces are found and fitted."""
    return torch.linspace(0, count - 1, min(FACES, count)).round().long()


def _mean(values):
    return round(sum(values) / len(values), 3) if values else None

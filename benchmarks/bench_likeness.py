"""Would a network that recognises people know them in their fitted heads?

    python -m benchmarks.bench_likeness [--sheet FILE] [--before FILE]

Of each face in the shared photos that is found there, OpenCV's SFace (Apache-2.0, read from the
test data) compares the photo with (a) the fitted head in the model's own colours, posed and lit as
in the photo, over grey; (b) the head with the photo's texture, seen from the front in even light.
Told are the cosine with the person's own photo, and the rank of that photo among all faces. Faces
of photos that were used for tuning are told apart from those kept for judging. Cosines of two
photos of one person are 0.6 and more, those of two people 0.1 (below 0.28 in 95 of 100).

`--before` is what this script wrote in another checkout, whose numbers stand beside ours.
`--sheet` writes photo, (a) and (b) side by side.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from benchmarks.common import DATA, report
from morphface.core.errors import MorphfaceError
from morphface.fit.fitted import FittedFace
from morphface.fit.texture.faces import head_texture
from morphface.geometry.camera import Camera, to_camera
from morphface.media.images import Photo
from morphface.pipelines import fit_photo
from morphface.render import Renderer

TUNED = ("astronaut", "glasses_frontal", "laos_two_faces", "woman_portrait")
SIDE = 384
GREY = torch.tensor([0.5, 0.5, 0.5])
FRONT = torch.tensor([0.0, 10.0, -900.0])


class Judge:
    """A network that tells people apart."""

    def __init__(self) -> None:
        weights = DATA / "weights"
        self._find = cv2.FaceDetectorYN.create(
            str(weights / "face_detection_yunet_2023mar.onnx"), "", (SIDE, SIDE), 0.3
        )
        self._know = cv2.FaceRecognizerSF.create(
            str(weights / "face_recognition_sface_2021dec.onnx"), ""
        )

    def features(self, picture: np.ndarray) -> np.ndarray | None:
        """Of the largest face in an RGB picture of bytes, of unit length; None if none is seen."""
        image = np.ascontiguousarray(picture[..., ::-1])
        self._find.setInputSize(image.shape[1::-1])
        _, found = self._find.detect(image)
        if found is None:
            return None
        largest = max(found, key=lambda row: row[2] * row[3])
        vector = self._know.feature(self._know.alignCrop(image, largest))[0]
        return vector / np.linalg.norm(vector)


def around(face: FittedFace, image: torch.Tensor) -> np.ndarray:
    """The part of a picture that holds a face, as a square of bytes."""
    low, high = face.predicted.amin(0), face.predicted.amax(0)
    middle, half = ((low + high) / 2).tolist(), float((high - low).max()) * 0.85
    box = (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
    whole = Image.fromarray((image.clamp(0, 1) * 255).byte().numpy())
    square = whole.transform((SIDE, SIDE), Image.Transform.EXTENT, box, Image.Resampling.BICUBIC)
    return np.asarray(square)


def modelled(face: FittedFace) -> torch.Tensor:
    """The head as the fit has it, over grey."""
    light = face.parameters.illumination
    draw = Renderer.of(face.model, face.camera)
    drawn = draw(face.vertices_in_camera()[None], colours=face.fine_albedo(), illumination=light)
    return drawn.over(GREY)[0]


def textured(face: FittedFace, photo: Photo) -> np.ndarray:
    """The head in the photo's colours, its own expression, from the front."""
    texture = head_texture(face, photo)
    camera = Camera.facing((SIDE, SIDE), focal=SIDE * 2.4)
    posed = to_camera(face.vertices(), torch.zeros(3), FRONT)[None]
    draw = Renderer.of(face.model, camera)
    if texture.albedo is None:
        drawn = draw(posed, colours=texture.colours[None])
    else:
        drawn = draw(posed, texture=texture.albedo[None])
    return (drawn.over(GREY)[0].clamp(0, 1) * 255).byte().numpy()


def compared(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cosines and ranks, of pictures that are given as features."""
    own = np.stack([row["photo"] for row in rows])
    out = []
    for number, row in enumerate(rows):
        case = {"case": row["name"], "kept": not row["name"].startswith(TUNED)}
        for way in ("modelled", "textured"):
            if row[way] is None:
                case |= {way: None, f"{way}_rank": None}
                continue
            likeness = own @ row[way]
            rank = int((likeness > likeness[number]).sum()) + 1
            case |= {way: round(float(likeness[number]), 3), f"{way}_rank": rank}
        out.append(case)
    return out


def on_the_whole(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the faces, a face that is not seen counting as nobody's."""
    out: dict[str, Any] = {"case": "all faces", "faces": len(cases)}
    for way in ("modelled", "textured"):
        out[way] = round(float(np.mean([case[way] or 0.0 for case in cases])), 3)
        out[f"{way}_first"] = sum(case[f"{way}_rank"] == 1 for case in cases)
    return out


def beside(cases: list[dict[str, Any]], other: Path) -> list[dict[str, Any]]:
    """The cases with the numbers of another checkout."""
    known = {case["case"]: case for case in json.loads(other.read_text(encoding="utf-8"))}
    names = ("modelled", "textured", "modelled_first", "textured_first")
    out = []
    for case in cases:
        was = known.get(case["case"], {})
        out.append(case | {f"{name}_before": was[name] for name in names if name in was})
    return out


def main() -> None:
    """Fit, compare and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--before", type=Path)
    wishes = parser.parse_args()
    judge, rows, sheet = Judge(), [], []
    for path in sorted((DATA / "photos").glob("*.*g")):
        try:
            found = fit_photo(path, faces="all")
        except MorphfaceError as error:
            print(path.name, error)
            continue
        for number, face in enumerate(found.faces):
            pictures = {
                "photo": around(face, found.photo.pixels),
                "modelled": around(face, modelled(face)),
                "textured": textured(face, found.photo),
            }
            known = {name: judge.features(picture) for name, picture in pictures.items()}
            if known["photo"] is None:
                print(path.name, number, "is no face to the network")
                continue
            rows.append({"name": f"{path.stem} {number}", **known})
            sheet.append(np.concatenate(list(pictures.values()), axis=1))
    cases = compared(rows)
    cases.append(on_the_whole(cases))
    report("likeness", cases if wishes.before is None else beside(cases, wishes.before))
    if wishes.sheet:
        Image.fromarray(np.concatenate(sheet)).save(wishes.sheet)


if __name__ == "__main__":
    main()

"""What a user of eos would run from a shell: landmarks, the Surrey model fitted to them, a texture.

python benchmarks/peer_eos.py FACE_LANDMARKER PHOTO SHARE
"""

import sys
from pathlib import Path

import eos
import mediapipe
import numpy as np
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision
from PIL import Image

from morphface.landmarks.tables import MESH_OF_68


def main(detector: str, photo: str, share: Path) -> None:
    """Fit, and take the texture from the photo; nothing is written."""
    points = [eos.core.Landmark(str(k + 1), xy) for k, xy in enumerate(_landmarks(detector, photo))]
    picture = np.asarray(Image.open(photo).convert("RGBA"))
    height, width = picture.shape[:2]
    models, fitting = eos.morphablemodel, eos.fitting
    shape = models.load_model(str(share / "sfm_shape_3448.bin"))
    model = models.MorphableModel(
        shape.get_shape_model(),
        models.load_blendshapes(str(share / "expression_blendshapes_3448.bin")),
        color_model=models.PcaModel(),
        vertex_definitions=None,
        texture_coordinates=shape.get_texture_coordinates(),
    )
    mapper = str(share / "ibug_to_sfm.txt")
    mesh, pose, _, _ = fitting.fit_shape_and_pose(
        model,
        points,
        eos.core.LandmarkMapper(mapper),
        width,
        height,
        models.load_edge_topology(str(share / "sfm_3448_edge_topology.json")),
        fitting.ContourLandmarks.load(mapper),
        fitting.ModelContour.load(str(share / "sfm_model_contours.json")),
    )
    texture = eos.render.extract_texture(mesh, pose, picture[..., [2, 1, 0, 3]].copy())
    print(len(mesh.vertices), np.asarray(texture).shape)


def _landmarks(detector: str, photo: str) -> list[tuple[float, float]]:
    base = tasks.BaseOptions(model_asset_path=detector)
    with vision.FaceLandmarker.create_from_options(
        vision.FaceLandmarkerOptions(base_options=base)
    ) as finder:
        image = mediapipe.Image.create_from_file(photo)
        found = finder.detect(image).face_landmarks[0]
    return [(found[k].x * image.width, found[k].y * image.height) for k in MESH_OF_68]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

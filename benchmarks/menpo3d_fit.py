"""What `peer_menpo3d` runs in the interpreter that has menpo3d, which has none of our packages.

python menpo3d_fit.py GIVEN.npz FOUND.json
"""

import json
import sys
import time

import numpy as np

ITERATIONS = 50
RUNS = 10
SAMPLES = 1000
CASES = {  # identity coefficients, and weights of pixels, shape, texture and landmarks
    "menpo3d, for pixels": (40, (1.0, 1e3, 1.0, 1e-2)),
    "menpo3d, its own weights": (63, (1.0, 1.0, 1.0, 1.0)),
}
WEIGHTS = (
    "reconstruction_weight",
    "shape_prior_weight",
    "texture_prior_weight",
    "landmarks_prior_weight",
)


def colours(points):
    """Mean and basis of a texture: skin, and how each channel changes over the face.

    The Surrey file has no colours; brightness and its slope along each axis stand in for light.
    """
    away = points - points.mean(axis=0)
    away = away / np.abs(away).max()
    rows = [np.ones_like(away), *(np.repeat(axis[:, None], 3, axis=1) for axis in away.T)]
    rows.append(np.tile([1.0, 0.0, -1.0], (len(points), 1)))
    basis, _ = np.linalg.qr(np.stack([row.ravel() for row in rows]).T)
    return np.tile([0.75, 0.55, 0.48], len(points)), basis.T.copy()


def model_of(given):
    """The same shape model as ours, as menpo3d's."""
    from menpo.feature import no_op
    from menpo.model import PCAModel, PCAVectorModel
    from menpo.shape import PointCloud, TriMesh
    from menpo3d.morphablemodel import ColouredMorphableModel

    mean, deviations = given["mean"], given["directions"]
    sizes = np.linalg.norm(deviations, axis=1)
    mesh = TriMesh(mean, trilist=given["faces"])
    shape = PCAModel.init_from_components(deviations / sizes[:, None], sizes**2, mesh, 100, True)
    skin, basis = colours(mean)
    spread = np.arange(5.0, 0.0, -1.0) * 0.01 * len(mean)
    texture = PCAVectorModel.init_from_components(basis, spread, skin, 100, True)
    places = PointCloud(mean[given["vertices"]])
    return ColouredMorphableModel(shape, texture, places, no_op, None)


def fitter_of(model, focal, shapes):
    """Its Lucas-Kanade fit, with a camera of known focal length: the default one has none."""
    from menpo3d.camera import PerspectiveCamera
    from menpo3d.morphablemodel.fitter import LucasKanadeMMFitter

    class Camera(PerspectiveCamera):
        @classmethod
        def init_from_2d_projected_shape(cls, points, seen, size, **options):
            options["focal_length"] = focal
            return PerspectiveCamera.init_from_2d_projected_shape(points, seen, size, **options)

    fitter = LucasKanadeMMFitter(model, n_shape=shapes, n_texture=5, n_samples=SAMPLES)
    fitter.camera_cls = Camera
    return fitter


def colour_error(model, image, found):
    """Root-mean-square difference of colour over every pixel that the fitted face covers."""
    from menpo3d.rasterize import rasterize_barycentric_coordinates

    mesh = model.instance(found.shape_parameters[-1], found.texture_parameters[-1])
    seen = found.final_camera_transform.apply(mesh)
    places, weights, faces = rasterize_barycentric_coordinates(seen, image.shape)
    drawn = mesh.sample_texture_with_barycentric_coordinates(weights, faces)
    return float(np.sqrt(np.square(image.sample(places).T - drawn).mean()))


def measure(given, shapes, weights):
    """Milliseconds of a fit, and how good it is."""
    from menpo.image import Image
    from menpo.shape import PointCloud

    model = model_of(given)
    fitter = fitter_of(model, float(given["focal"]), shapes)
    image = Image(np.moveaxis(given["image"], -1, 0).copy())
    marks = PointCloud(given["points"][:, ::-1].copy())
    options = dict(zip(WEIGHTS, weights, strict=True)) | {"max_iters": ITERATIONS}
    times = []
    for _ in range(1 + RUNS):
        np.random.seed(0)  # noqa: NPY002
        start = time.perf_counter()
        found = fitter.fit_from_shape(image, marks, **options)
        times.append((time.perf_counter() - start) * 1e3)
    seen = found.final_camera_transform.apply(found.final_mesh).points[given["vertices"], :2]
    return {
        "median_ms": float(np.median(times[1:])),
        "min_ms": min(times[1:]),
        "iterations": ITERATIONS,
        "landmark_px": float(np.linalg.norm(seen - marks.points, axis=1).mean()),
        "photometric_rmse": colour_error(model, image, found),
    }


if __name__ == "__main__":
    given = dict(np.load(sys.argv[1]))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump({name: measure(given, *case) for name, case in CASES.items()}, file)

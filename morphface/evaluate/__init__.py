"""Metrics, each with its convention."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.evaluate.faces import (
        aed_expression,
        apd_pose,
        ard,
        dai,
        gaze_error,
        geodesic,
    )
    from morphface.evaluate.features import FeatureDistance, FrechetDistance, frechet_distance
    from morphface.evaluate.identity import Csim
    from morphface.evaluate.motion import akd, jitter, warping_error
    from morphface.evaluate.perceptual import LPIPS_KINDS, Lpips
    from morphface.evaluate.pictures import apd_pixel, l1, psnr, ssim
    from morphface.evaluate.score import Measure, Score


__all__ = [
    "Csim",
    "FeatureDistance",
    "FrechetDistance",
    "LPIPS_KINDS",
    "Lpips",
    "Measure",
    "Score",
    "aed_expression",
    "akd",
    "apd_pixel",
    "apd_pose",
    "ard",
    "dai",
    "frechet_distance",
    "gaze_error",
    "geodesic",
    "jitter",
    "l1",
    "psnr",
    "ssim",
    "warping_error",
]

_HOMES = {
    "Csim": "identity",
    "FeatureDistance": "features",
    "FrechetDistance": "features",
    "LPIPS_KINDS": "perceptual",
    "Lpips": "perceptual",
    "Measure": "score",
    "Score": "score",
    "aed_expression": "faces",
    "akd": "motion",
    "apd_pixel": "pictures",
    "apd_pose": "faces",
    "ard": "faces",
    "dai": "faces",
    "frechet_distance": "features",
    "gaze_error": "faces",
    "geodesic": "faces",
    "jitter": "motion",
    "l1": "pictures",
    "psnr": "pictures",
    "ssim": "pictures",
    "warping_error": "motion",
}

__getattr__ = lazy_names(__name__, _HOMES)

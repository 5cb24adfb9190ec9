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
    from morphface.evaluate.motion import akd, jitter, warping_error
    from morphface.evaluate.perceptual import LPIPS_KINDS, Lpips
    from morphface.evaluate.pictures import apd_pixel, l1, psnr, ssim
    from morphface.evaluate.score import Measure, Score


__all__ = [
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
    "gaze_error",
    "geodesic",
    "jitter",
    "l1",
    "psnr",
    "ssim",
    "warping_error",
]

_HOMES = {
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
    "gaze_error": "faces",
    "geodesic": "faces",
    "jitter": "motion",
    "l1": "pictures",
    "psnr": "pictures",
    "ssim": "pictures",
    "warping_error": "motion",
}

__getattr__ = lazy_names(__name__, _HOMES)

"""Metrics, each with its convention."""

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

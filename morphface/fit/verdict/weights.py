"""What the features of a fit's quality weigh, and from which quality on a fit is believed.

Written by `python -m benchmarks.bench_verdict --calibrate`, not by hand.
"""

__all__ = ["LEAST_QUALITY", "WEIGHTS"]

WEIGHTS: dict[str, dict[str, float]] = {
    "linear": {
        "": 0.3763,
        "small": 0.1001,
        "blurred": -2.7863,
        "dark": 0.1175,
        "cut": -1.8729,
        "turned": -0.0186,
        "occluded": -1.1327,
        "landmarks_detector": -8.1069,
    },
    "pixels": {
        "": 2.4831,
        "blurred": -0.1742,
        "cut": -10.4366,
        "occluded": -0.1409,
        "landmarks_detector": -3.9733,
        "detector_pose": -0.1258,
        "unlike": -3.1463,
        "bound": -3.3186,
    },
}
LEAST_QUALITY: dict[str, float] = {"linear": 0.3, "pixels": 0.3}

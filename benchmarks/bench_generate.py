"""How long a frame of 256 pixels takes to make, and a step of training.

The peer is the network as it was trained: the same weights without folding, layout or bfloat16,
which is how the re-implementations of Deep Video Portraits run it. "peak" is what this machine's
matrix multiplication reaches, in the same precision; a share of it says how much is left to gain.

One-shot generators are the published layout of HeadGAN and a small one of the same form, with the
photo encoded beforehand, and the small one with all that a frame of it needs: maps and flow, too.
`python -m benchmarks.bench_generate headgan` measures these alone.

Reenactment is the whole way from parameters to a file: maps, network, pasting into a frame of 720
lines, the label, and the comparison beside it. Its memory must not grow with the frames.
"""

import resource
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import torch

from benchmarks.common import measure, report
from morphface.generate.fast import has_bfloat16, quickened
from morphface.generate.generator import make_generator
from morphface.generate.training import TrainSettings
from morphface.generate.training.memory import memory_needed
from morphface.generate.training.state import new_state
from morphface.generate.training.step import train_step
from morphface.geometry.camera import Camera
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.parameters import FaceParameters, Track
from morphface.pipelines.oneshot.clip import reference_of
from morphface.pipelines.reenact import Run
from morphface.pipelines.reenact.film import film
from morphface.pipelines.reenact.look import Look, Motion
from morphface.pipelines.reenact.target import Target
from morphface.render import Sitter

RESOLUTION = 256
SIDE = 2048
TRAINED = {"resolution": 64, "batch": 16}
ONE_SHOT = {32: 10, 8: 20}
"""Widths of one-shot generators, the published one first, and runs of each."""
FILMED = {"resolution": 128, "frames": (50, 500)}


def operations(generator, call):
    """Multiply-adds of the convolutions of a generator while it is called."""
    total = 0

    def add(module, inputs, output):
        nonlocal total
        taps = module.weight[0, 0].numel()
        if isinstance(module, torch.nn.ConvTranspose2d):
            total += inputs[0].numel() * module.out_channels * taps
        else:
            total += output.numel() * module.in_channels * taps

    kinds = torch.nn.Conv2d | torch.nn.ConvTranspose2d
    hooks = [m.register_forward_hook(add) for m in generator.modules() if isinstance(m, kinds)]
    call()
    for hook in hooks:
        hook.remove()
    return total


def peak(dtype, clock="min_ms"):
    """Multiply-adds a second of a large matrix product; of one core alone by `processor_ms`."""
    a, b = torch.randn(2, SIDE, SIDE).to(dtype)
    times = measure({"product": lambda: a @ b}, runs=10)
    return SIDE**3 / (times["product"][clock] * 1e-3)


def inference():
    """Milliseconds a frame, as trained and quickened."""
    generator = make_generator(resolution=RESOLUTION).eval()
    window = torch.randn(1, 99, RESOLUTION, RESOLUTION)
    last = window.contiguous(memory_format=torch.channels_last)
    quick = quickened(generator, bfloat16=False)
    calls = {"as trained": lambda: generator(window), "float32": lambda: quick(last)}
    half = has_bfloat16(torch.device("cpu"))
    if half:
        halved = quickened(generator, bfloat16=True)
        calls["bfloat16"] = lambda: halved(last.bfloat16())
    with torch.no_grad():
        times = measure(calls, runs=12)
        work = operations(generator, partial(generator, window))
        peaks = {"float32": peak(torch.float32)}
        if half:
            peaks["bfloat16"] = peak(torch.bfloat16)
    for name, found in times.items():
        most = peaks["bfloat16" if name == "bfloat16" else "float32"]
        yield {
            "case": f"a frame of {RESOLUTION} pixels, {name}",
            **found,
            "times_as_trained": round(times["as trained"]["median_ms"] / found["median_ms"], 3),
            "giga_multiply_adds": round(work / 1e9, 2),
            "share_of_peak": round(work / (found["median_ms"] * 1e-3) / most, 3),
            "peak_giga_multiply_adds_a_second": round(most / 1e9, 1),
        }


def posed(frames):
    """A neutral head, and one that turns and talks."""
    time = torch.arange(frames) / 25
    face = FaceParameters.neutral(frames=frames)
    face.rotation[:, 1] = 0.3 * torch.sin(time)
    jaw = load_model().expression.names.index("jawOpen")
    face.expression[:, jaw] = 0.3 - 0.3 * torch.cos(7 * time)
    return FaceParameters.neutral(), face


def one_shot(width):
    """A photo, and a frame of it: a generator, what it is given, and what finds that."""
    torch.manual_seed(0)
    generator = make_generator("headgan", resolution=RESOLUTION, width=width).eval()
    camera = Camera.facing((RESOLUTION, RESOLUTION), focal=2.2 * RESOLUTION)
    sitter = Sitter(load_model(), camera)
    photo, frames = posed(30)
    scene = sitter.scene(photo)

    def told():
        return sitter.between(scene, sitter.scene(frames[20]))

    picture = torch.rand(1, 3, RESOLUTION, RESOLUTION) * 2 - 1
    reference = reference_of(picture, sitter.maps(scene), picture[:, :1] * 0 + 1, [told().prior])
    window = told().maps.permute(0, 3, 1, 2).repeat(1, 3, 1, 1)
    return generator, window, reference, told


def headgan():
    """Milliseconds a frame of the published width and of the small one.

    Frames a second and shares of the peak are of processor time, as if nothing else ran.
    """
    half, threads = has_bfloat16(torch.device("cpu")), torch.get_num_threads()
    dtypes = (torch.float32, *([torch.bfloat16] if half else []))
    most = {dtype: peak(dtype, "processor_ms") for dtype in dtypes}
    for width, runs in ONE_SHOT.items():
        generator, window, reference, told = one_shot(width)
        kinds = {torch.float32: quickened(generator, bfloat16=False)}
        if half:
            kinds[torch.bfloat16] = quickened(generator, bfloat16=True)
        last = window.contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            work = operations(generator, partial(generator, window, (reference,)))
            encoded = operations(generator, partial(generator.encode, reference))
            calls = {
                dtype: partial(
                    quick, last.to(dtype), (reference,), features=[quick.encode(reference)]
                )
                for dtype, quick in kinds.items()
            }
            times = measure({**calls, "maps and flow": told}, runs=runs, warmup=1)
        around = times.pop("maps and flow")["processor_ms"]
        for dtype, found in times.items():
            alone = found["processor_ms"]
            yield {
                "case": f"headgan of width {width}, a frame of {RESOLUTION} pixels, {dtype}",
                **found,
                "giga_operations": round(2 * (work - encoded) / 1e9, 1),
                "share_of_peak": round((work - encoded) / (alone * 1e-3) / most[dtype], 3),
                "peak_giga_operations_a_second_and_core": round(2 * most[dtype] / 1e9),
                "maps_and_flow_processor_ms": round(around, 1),
                "frames_a_second_with_these": round(1e3 * threads / (alone + around), 2),
                "processor": processor(),
                "threads": threads,
            }


def processor():
    """Its name and what it multiplies with."""
    lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore").splitlines()
    parts = (line.partition(":") for line in lines)
    facts = {key.strip(): value.strip() for key, _, value in parts}
    known = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")
    return f"{facts['model name']} ({', '.join(u for u in known if u in facts['flags'])})"


def training():
    """Steps a second, and memory against what was foretold."""
    settings = TrainSettings(batch=TRAINED["batch"])
    config = make_generator(resolution=TRAINED["resolution"]).config
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    state = new_state(config, settings)
    side = config.resolution
    batch = {
        "window": torch.randn(settings.batch, config.window_channels, side, side),
        "frame": torch.rand(settings.batch, 3, side, side) * 2 - 1,
    }
    times = measure({"step": lambda: train_step(state, batch, settings)}, runs=10, warmup=2)
    used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield {
        "case": f"a step of {settings.batch} windows of {side} pixels",
        **times["step"],
        "steps_a_second": round(1e3 / times["step"]["median_ms"], 3),
        "peak_memory_mib": round(used),
        "foretold_memory_mib": round(memory_needed(config, settings) / 2**20),
    }
    foretold = memory_needed(make_generator(resolution=256).config, TrainSettings())
    yield {
        "case": "a step of 16 windows of 256 pixels, foretold",
        "foretold_memory_mib": round(foretold / 2**20),
    }


def person(folder):
    """A run that is not trained, and one frame of its person."""
    side = FILMED["resolution"]
    generator = quickened(make_generator(resolution=side).eval())
    camera = Camera.facing((side, side), focal=2.2 * side)
    nothing = torch.full((1,), float("nan"))
    track = Track(
        FaceParameters.neutral(),
        camera,
        states=torch.zeros(1, dtype=torch.long),
        times=torch.zeros(1, dtype=torch.float64),
        indices=torch.zeros(1, dtype=torch.long),
        landmark_nme=nothing,
        boxes=nothing[:, None].expand(1, 4),
    )
    clip = {"name": "none.mp4", "sha256": "", "path": "", "whole": True}
    picture = Photo(torch.rand(720, 1280, 3))
    crop = Crop(400.0, 100.0, 2.0 * side, side)
    target = Target(track, crop, "open-head", generator.config, clip, picture)
    return Run(folder, generator, generator.config, target, load_model())


def resident():
    """Memory of this process now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def filmed(run, frames, out):
    """Milliseconds a frame and the most memory while a head turns and talks for some frames."""
    face, time = posed(frames)[1], torch.arange(frames) / 25
    rows = torch.zeros(frames, dtype=torch.long)
    motion = Motion(face, rows, time.double(), 25.0)
    seen = []
    begin = perf_counter()
    film(run, motion, out, Look(True), facts={}, tell=lambda _: seen.append(resident()))
    return (perf_counter() - begin) * 1e3 / frames, max(seen)


def reenactment():
    """The whole way, for a short and a long driver."""
    with TemporaryDirectory() as folder:
        run = person(Path(folder))
        filmed(run, 10, Path(folder) / "warm.mp4")
        peaks = []
        for frames in FILMED["frames"]:
            each, most = filmed(run, frames, Path(folder) / "out.mp4")
            peaks.append(most)
            yield {
                "case": f"reenact, {frames} frames of {run.config.resolution} pixels",
                "ms_per_frame": round(each, 1),
                "peak_memory_mib": round(most),
            }
        yield {
            "case": "reenact, memory that 450 more frames take",
            "grown_mib": round(peaks[1] - peaks[0], 1),
            "target_mib": 32,
        }


if __name__ == "__main__":
    if sys.argv[1:] == ["headgan"]:
        report("generate_headgan", list(headgan()))
    else:
        report("generate", [*training(), *inference(), *reenactment()])

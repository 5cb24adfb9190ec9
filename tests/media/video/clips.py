"""Small clips made with PyAV alone, so that the reader is not judged by our own writer."""

from fractions import Fraction

import av
import numpy as np

SIZE = (40, 56)
STEP = Fraction(1, 1000)


def pictures(count=6, size=SIZE, seed=0):
    """Frames whose corners differ, and that differ from each other."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    base = np.stack([x * 255 / width, y * 255 / height, (x + y) % 64 * 2.0], axis=-1)
    noise = np.random.default_rng(seed).integers(0, 24, (count, height, width, 3))
    return [
        (base * (0.5 + k / 2 / count) + noise[k]).clip(0, 255).astype(np.uint8)
        for k in range(count)
    ]


def write_clip(path, frames, times=None, **options):
    """Lossless RGB by default.

    Options: codec, layout, gop, coder (options of the encoder), prepare (is given the stream),
    sound (seconds of a tone), muxer (options of the file format), form (name of that).
    """
    times = [k * 40 for k in range(len(frames))] if times is None else times
    muxer, form = options.get("muxer", {}), options.get("form")
    with av.open(str(path), "w", options=muxer, format=form) as container:
        stream = container.add_stream(options.get("codec", "libx264rgb"), rate=25)
        describe(stream, frames[0])
        stream.pix_fmt = options.get("layout", "rgb24")
        stream.options = options.get("coder", {"qp": "0"})
        stream.codec_context.time_base = STEP
        stream.codec_context.gop_size = options.get("gop", 12)
        options.get("prepare", lambda _: None)(stream)
        tone = container.add_stream("aac", rate=16000) if "sound" in options else None
        for values, time in zip(frames, times, strict=True):
            container.mux(stream.encode(stamped(values, time, options)))
        container.mux(stream.encode(None))
        if tone is not None:
            write_tone(container, tone, options["sound"])
    return path


def describe(stream, first):
    if isinstance(first, av.VideoFrame):
        stream.height, stream.width = first.height, first.width
        coder = stream.codec_context
        coder.colorspace, coder.color_range = first.colorspace, first.color_range
    else:
        stream.height, stream.width = first.shape[:2]


def stamped(values, time, options):
    if isinstance(values, av.VideoFrame):
        frame = values
    else:
        frame = av.VideoFrame.from_ndarray(values, "rgba" if values.shape[2] == 4 else "rgb24")
        frame = frame.reformat(format=options.get("layout", "rgb24"))
    frame.pts, frame.time_base, frame.duration = time, STEP, 40
    return frame


def write_tone(container, stream, seconds):
    for start in range(0, round(16000 * seconds), 1024):
        angle = np.arange(start, start + 1024) * (2 * np.pi * 440 / 16000)
        frame = av.AudioFrame.from_ndarray(
            np.sin(angle, dtype=np.float32)[None] * 0.5, "fltp", "mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def sound_packets(path):
    """Time after the first picture, and content, of each packet of sound."""
    with av.open(str(path)) as container:
        first = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(audio=0) if packet.size]
        return [(float(packet.pts * packet.time_base) - first, bytes(packet)) for packet in found]


def planes(luma, blue, red, size=SIZE, *, matrix, full):
    """A frame of one colour in yuv444p with the tags given."""
    height, width = size
    frame = av.VideoFrame(width, height, "yuv444p")
    for plane, value in zip(frame.planes, (luma, blue, red), strict=True):
        plane.update(bytes([round(value)]) * (plane.line_size * plane.height))
    frame.colorspace, frame.color_range = matrix, 2 if full else 1
    return frame

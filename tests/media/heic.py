"""HEIC files made by hand, of one picture or of tiles, as phones write them."""

import io
import struct
from fractions import Fraction

import av


def coded(pictures):
    """The coding of each picture by x265, and how a decoder is set up for them."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as container:
        options = {"x265-params": "log-level=none:keyint=1", "crf": "4", "preset": "ultrafast"}
        stream = container.add_stream("libx265", rate=25, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.time_base = "yuv444p", Fraction(1, 25)
        for values in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(values, "rgb24")))
        container.mux(stream.encode(None))
    with av.open(io.BytesIO(memory.getvalue())) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
        return packets, bytes(container.streams.video[0].codec_context.extradata)


def box(kind, *bodies):
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind, *bodies, version=0, flags=0):
    return box(kind, struct.pack(">I", version << 24 | flags), *bodies)


def entry(number, kind):
    return full(b"infe", struct.pack(">HH4s", number, 0, kind) + b"\0", version=2)


def nclx(primaries, curve):
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, curve, 6, 128))


def heic(pictures, columns=1, size=None, *, turn=0, mirror=None, exif=None, **colours):
    """A file whose picture is `pictures` side by side, cut to `size` (height, width).

    Colours: profile, points (primaries and transfer curve).
    """
    packets, decoder = coded(pictures)
    rows, height, width = len(pictures) // columns, *pictures[0].shape[:2]
    grid = len(pictures) > 1
    tiles, whole = range(1, len(pictures) + 1), len(pictures) + 1 if grid else 1
    size = size or (rows * height, columns * width)
    entries = [entry(number, b"hvc1") for number in tiles]
    blobs = dict(zip(tiles, packets, strict=True))
    references = b""
    if grid:
        entries.append(entry(whole, b"grid"))
        blobs[whole] = struct.pack(">4B2H", 0, 0, rows - 1, columns - 1, size[1], size[0])
        parts = struct.pack(f">HH{len(tiles)}H", whole, len(tiles), *tiles)
        references = full(b"iref", box(b"dimg", parts))
    if exif is not None:
        entries.append(entry(whole + 1, b"Exif"))
        blobs[whole + 1] = struct.pack(">I", 6) + b"Exif\0\0" + exif
    properties = [box(b"hvcC", decoder), full(b"ispe", struct.pack(">II", width, height))]
    properties.append(full(b"ispe", struct.pack(">II", size[1], size[0])))
    owned = {number: [1, 2] for number in tiles}
    extra = [3] if grid else [1, 2]
    for body in (
        box(b"colr", b"prof", colours["profile"]) if "profile" in colours else None,
        nclx(*colours["points"]) if "points" in colours else None,
        box(b"irot", bytes([turn])) if turn else None,
        None if mirror is None else box(b"imir", bytes([mirror])),
    ):
        if body is not None:
            properties.append(body)
            extra.append(len(properties))
    owned[whole] = extra
    table = b"".join(
        struct.pack(f">HB{len(these)}B", number, len(these), *these)
        for number, these in owned.items()
    )
    prepared = [
        full(b"hdlr", bytes(4) + b"pict" + bytes(13)),
        full(b"pitm", struct.pack(">H", whole)),
        full(b"iinf", struct.pack(">H", len(entries)), *entries),
        references,
        box(
            b"iprp",
            box(b"ipco", *properties),
            full(b"ipma", struct.pack(">I", len(owned)), table),
        ),
    ]
    start = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    length = len(start) + 12 + sum(map(len, prepared)) + 12 + 4 + len(blobs) * 14 + 8
    places, at = b"", length
    for number, blob in blobs.items():
        places += struct.pack(">HHHII", number, 0, 1, at, len(blob))
        at += len(blob)
    located = full(b"iloc", struct.pack(">HH", 0x4400, len(blobs)), places)
    meta = full(b"meta", *prepared, located)
    assert len(start) + len(meta) + 8 == length
    return start + meta + box(b"mdat", *blobs.values())

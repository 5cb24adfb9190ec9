"""ICC profiles made by hand after ICC.1:2010, from primaries and a gamma, and what they mean."""

import struct

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])
D65 = (0.3127, 0.3290)
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
WIDE = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def to_d50(primaries, white=D65):
    """Linear RGB to XYZ under D50."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    light = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    adapt = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ light)) @ BRADFORD
    return adapt @ (columns * np.linalg.solve(columns, light))


def rgb_profile(primaries, gamma=2.2, white=D65):
    columns = to_d50(primaries, white).T
    tags = [(name, xyz(column)) for name, column in zip("rgb", columns, strict=True)]
    tags = [(f"{name}XYZ", body) for name, body in tags] + [
        (f"{c}TRC", curve(gamma)) for c in "rgb"
    ]
    return profile(b"RGB ", tags)


def grey_profile(gamma):
    return profile(b"GRAY", [("kTRC", curve(gamma))])


def profile(space, tags):
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = [("desc", text), ("cprt", b"text\0\0\0\0CC0\0"), ("wtpt", xyz(D50)), *tags]
    start, table, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags:
        content += bytes(-len(content) % 4)
        table += name.encode() + struct.pack(">II", start + len(body), len(content))
        body += content
    head = struct.pack(
        ">I4sI4s4s4s", start + len(body), b"none", 0x02100000, b"mntr", space, b"XYZ "
    )
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + numbers(D50)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def xyz(values):
    return b"XYZ \0\0\0\0" + numbers(values)


def numbers(values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def shown(values, primaries, gamma, white=D65):
    """What such numbers look like in sRGB, by the definition of the two spaces."""
    light = values**gamma @ (np.linalg.inv(to_d50(SRGB)) @ to_d50(primaries, white)).T
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)

"""HDR and wide colours, checked by curves and primaries written down a second time."""

import av
import numpy as np
import pytest
from scipy.optimize import brentq

from morphface.media.video import light
from morphface.media.video.picture import Picture

RAMP = np.linspace(0, 1, 32)
COLOURS = np.random.default_rng(3).uniform(0.1, 0.85, (16, 16, 3))
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""BT.709 to BT.2020, as printed in ITU-R BT.2087-0."""
BT2020, PQ, HLG, SRGB_CURVE = 9, 16, 18, 13


def linear(signal):
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def by_pq(nits):
    """The inverse of the EOTF, by root finding."""
    one = np.vectorize(lambda y: brentq(lambda e: float(light.pq_to_light(np.array(e))) - y, 0, 1))
    return one(nits)


def by_hlg(scene):
    """The OETF of ITU-R BT.2100-2, table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(
        scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-6)) + c
    )


def frame_of(rgb, primaries, curve, matrix=BT2020):
    """A frame of 10 bits in the signal range of video."""
    kr, kb = (0.2627, 0.0593) if matrix == BT2020 else (0.2126, 0.0722)
    luma = rgb @ np.array([kr, 1 - kr - kb, kb])
    planes = (
        luma * 876 + 64,
        (rgb[..., 2] - luma) / (2 * (1 - kb)) * 896 + 512,
        (rgb[..., 0] - luma) / (2 * (1 - kr)) * 896 + 512,
    )
    height, width = luma.shape
    frame = av.VideoFrame(width, height, "yuv444p10le")
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros((height, plane.line_size // 2), np.uint16)
        rows[:, :width] = values.round()
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = matrix, 1
    frame.color_primaries, frame.color_trc = primaries, curve
    return frame


def read(frame):
    return Picture(frame, None).tensor(frame).numpy() / 255


def test_pq_and_hlg_are_what_the_recommendation_prints():
    assert light.pq_to_light(np.array([0.0, 1.0])).tolist() == pytest.approx([0, 10000])
    assert float(light.pq_to_light(np.array(0.58))) == pytest.approx(203, rel=0.02)
    np.testing.assert_allclose(light.hlg_to_light(by_hlg(RAMP)), RAMP, atol=1e-6)
    assert float(light.hlg_to_light(np.array(0.75))) == pytest.approx(0.265, abs=5e-4)


@pytest.mark.parametrize("curve", [PQ, HLG])
def test_diffuse_colours_of_an_hdr_frame_are_those_of_the_scene(curve):
    wide = linear(COLOURS) @ TO_2020.T
    signal = by_pq(wide * 203) if curve == PQ else by_hlg(wide * 0.265)
    found = read(frame_of(signal, BT2020, curve))
    np.testing.assert_allclose(found, COLOURS, atol=8 / 255)  # of 10 bits, dark ones are coarse
    assert np.abs(found - COLOURS).mean() < 1.5 / 255


def test_light_beyond_white_is_bent_and_keeps_its_order():
    nits = np.geomspace(50, 4000, 24)[None, :, None].repeat(16, 0).repeat(3, 2)
    grey = read(frame_of(by_pq(nits), BT2020, PQ))[8, :, 1]
    assert (np.diff(grey[nits[0, :, 0] < 400]) > 0).all()
    assert (np.diff(grey) >= 0).all()
    assert grey.max() <= 1
    assert grey[np.argmin(np.abs(nits[0, :, 0] - 203))] > 0.93


def test_wide_colours_without_such_a_curve_keep_their_greys():
    signal = np.where(
        (wide := linear(COLOURS) @ TO_2020.T) <= 0.0031308,
        12.92 * wide,
        1.055 * wide ** (1 / 2.4) - 0.055,
    )
    np.testing.assert_allclose(read(frame_of(signal, BT2020, 1)), COLOURS, atol=3 / 255)
    grey = np.repeat(COLOURS[..., :1], 3, axis=-1)
    np.testing.assert_allclose(read(frame_of(grey, BT2020, 14)), grey, atol=2 / 255)


def test_usual_frames_are_left_alone():
    frame = frame_of(COLOURS, 1, 1, matrix=1)
    assert not light.is_wide(frame)
    np.testing.assert_allclose(read(frame), COLOURS, atol=2 / 255)

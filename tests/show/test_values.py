import builtins
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from morphface.geometry.camera import Camera
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.window import DARK
from morphface.render.maps import MAP_NAMES, MapSet, render_maps
from morphface.show import cards, faces
from morphface.show.cards import Card, painted
from morphface.show.painters import paint
from tests.jointed import articulated
from tests.show.values import face, film, fit, photo, photos, picture_in, pixels, smiling, track
from tests.toy import toy_model

CAMERA = Camera.facing((64, 64), focal=140.0)


def maps(frames=1, names=tuple(n for n in MAP_NAMES if n != "detail"), **options):
    return render_maps(load_model(), film(frames), CAMERA, names=names, **options)


SHOWN = {
    "parameters": smiling,
    "film": lambda: film(12),
    "track": lambda: track(12, lost=(3, 4)),
    "model": load_model,
    "toy model": toy_model,
    "maps": maps,
    "maps of frames": lambda: maps(6, ("diffuse", "uv"), signed=True),
    "fit": fit,
    "pixels": lambda: pixels(fit()),
    "face": face,
    "linear face": lambda: face(with_pixels=False),
    "photo": photo,
    "photo with faces": lambda: photo(8),
    "photos": photos,
}


class Checker(HTMLParser):
    """Tags that are closed in order, and none that runs code or asks another machine."""

    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attributes):
        assert tag in {"div", "img", "table", "tr", "th", "td"}
        for name, value in attributes:
            assert not name.startswith("on")
            assert name != "src" or value.startswith("data:image/")
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def words_of(html):
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    return " | ".join(checker.words)


@pytest.mark.parametrize("name", SHOWN)
def test_every_value_shows_a_picture_first_and_then_a_table(name):
    value = SHOWN[name]()
    html, body = value._repr_html_(), value._repr_png_()
    assert "cannot be drawn" not in words_of(html)
    assert html.index("<img") < html.index("<table")
    image = Image.open(BytesIO(body))
    image.load()
    assert image.format == "PNG"
    assert image.size == picture_in(html).size
    assert max(image.size) <= 760
    assert np.ptp(np.asarray(image.convert("L"))) > 60  # something is drawn
    assert len(html) < 150_000


def test_the_drawn_head_has_its_pose():
    even = FaceParameters.neutral()
    even.illumination[0, 0] = 1e-4  # light from everywhere, where none at all would be a lamp
    turned = replace(even, rotation=torch.tensor([[0.0, 0.9, 0.0]]))
    straight, side = (
        np.asarray(faces.parameters_card(p).picture()).astype(float) for p in (even, turned)
    )
    mirrored = [np.abs(a - a[:, ::-1]).mean() for a in (straight, side)]
    assert mirrored[1] > 3 * mirrored[0]


def test_the_picture_follows_values_that_are_changed_in_place():
    value = smiling()
    before = value._repr_png_()
    value.expression[0, load_model().expression.names.index("jawOpen")] = 0.0
    assert value._repr_png_() != before


def test_the_table_names_the_strongest_expressions_and_the_pose():
    turned = replace(smiling(), rotation=torch.tensor([[0.0, torch.pi / 6, 0.0]]))
    words = words_of(turned._repr_html_())
    assert "jawOpen 0.70, mouthSmileLeft 0.40" in words
    assert "yaw +30.0\N{DEGREE SIGN}, pitch +0.0\N{DEGREE SIGN}" in words


def test_parameters_of_an_unknown_model_are_a_table_alone():
    value = FaceParameters.neutral(identity=7, expression=9, reflectance=0)
    assert "the model is not known" in words_of(value._repr_html_())
    assert value._repr_png_() is None


@pytest.mark.parametrize("frames", [0, 1, 2, 3])
def test_few_frames_are_shown_too(frames):
    words = words_of(track(frames)._repr_html_())
    assert f"Track, {frames} frames" in words
    assert "cannot be drawn" not in words


def test_a_long_track_draws_a_few_heads_only(monkeypatch):
    drawn = []
    draw = faces.draw_heads
    monkeypatch.setattr(
        faces,
        "draw_heads",
        lambda *a, frames=None, **k: drawn.append(frames) or draw(*a, frames=frames, **k),
    )
    html = track(10_000, lost=range(100, 200))._repr_html_()
    assert [len(frames) for frames in drawn] == [faces.STRIP]
    assert drawn[0][0] == 0
    assert drawn[0][-1] == 9999
    assert "9900 tracked, 100 lost" in words_of(html)
    assert len(html) < 150_000


def test_a_filmstrip_is_as_wide_as_its_heads_and_curves_are_below():
    strip = faces.strip(film(20), load_model(), 5)
    assert strip.size == (5 * faces.SMALL, faces.SMALL)
    whole = faces.parameters_card(film(20)).picture()
    assert whole.width == faces.STRIP * faces.SMALL
    assert whole.height > faces.SMALL + 100


def test_without_matplotlib_a_film_is_its_strip(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.partition(".")[0] == "matplotlib" or name.endswith("show.figures"):
            raise ImportError("No module named 'matplotlib'")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    image = Image.open(BytesIO(film(20)._repr_png_()))
    assert image.size == (faces.STRIP * faces.SMALL, faces.SMALL)


def test_a_fit_is_drawn_on_the_open_head_only_where_that_explains_it():
    known, other = fit(), fit(predicted=fit().predicted.flip(0))
    drawn = [np.asarray(picture_in(f._repr_html_())).astype(int) for f in (known, other)]
    ground = [(np.abs(a - np.array(DARK)).max(-1) < 12).mean() for a in drawn]
    assert ground[0] < ground[1] - 0.05
    assert "browInnerUp" not in words_of(other._repr_html_())
    assert "expression 24" in words_of(other._repr_html_())


def test_a_fit_that_failed_says_why_with_its_reason_escaped():
    reason = '<script>alert("x")</script> & more'
    html = fit(converged=False, reason=reason)._repr_html_()
    assert "<script" not in html
    assert f"not converged: {reason}" in words_of(html)


def test_a_fit_to_pixels_says_how_well_it_explains_them():
    made = replace(pixels(fit()), converged=False, reason="<b>dark</b>")
    html = made._repr_html_()
    assert "<b>" not in html
    assert "PhotometricResult" in words_of(html)
    assert "not converged: <b>dark</b>" in words_of(html)
    assert "photometric 2, identity 0.5" in words_of(html)
    assert "1.00 % of the eye distance" in words_of(html)


def test_names_of_models_and_maps_are_escaped():
    model = replace(toy_model(), name="<b>mine</b>")
    assert "<b>" not in model._repr_html_()
    named = replace(maps(names=("mask",)), model='"><img onerror=x>')
    assert '"><img onerror=x>' in words_of(named._repr_html_())


def test_a_photo_of_many_faces_lists_some_and_counts_the_rest():
    words = words_of(photo(8)._repr_html_())
    assert "face 5" in words
    assert "face 6" not in words
    assert "2 faces" in words


def test_photos_of_one_person_are_listed_with_their_verdicts():
    several = photos(8, with_pixels=False, converged=False, reason="too dark")
    words = words_of(several._repr_html_())
    assert "8 photos of one person" in words
    assert words.count("too dark") == 6
    assert "2 photos" in words


def test_the_photo_is_in_its_picture():
    image = np.asarray(picture_in(photo()._repr_html_())).astype(int)
    blue = np.abs(image - np.array([26, 51, 230])).max(-1) < 16
    assert blue.mean() > 0.2


def test_an_articulated_model_shows_itself_too():
    html = articulated()._repr_html_()
    assert "ArticulatedModel" in words_of(html)
    assert "cannot be drawn" not in words_of(html)


def test_each_label_of_parsing_has_a_colour_and_the_background_none():
    from morphface.show.maps import map_pixels

    steps = torch.arange(15).float().view(1, 1, 15, 1) / 255
    colours = map_pixels(MapSet({"parsing": steps}), "parsing", 0)[0]
    assert len({tuple(c) for c in colours.tolist()}) == 15
    assert colours[0].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("size", [1e4, 1e20, 3e38])
@pytest.mark.parametrize("group", ["identity", "rotation", "illumination", "gaze"])
def test_absurd_values_are_shown_without_an_error(group, size):
    absurd = replace(smiling(), **{group: torch.full_like(getattr(smiling(), group), size)})
    assert "FaceParameters" in words_of(absurd._repr_html_())


def test_maps_that_hold_no_numbers_are_shown_without_an_error():
    broken = maps(names=("diffuse", "parsing")).map(lambda values: values * torch.nan)
    assert "MapSet" in words_of(broken._repr_html_())


def test_a_picture_that_fails_leaves_the_table():
    def fail():
        raise RuntimeError("no <paper>")

    shown = painted(Card("Thing", (("size", "3"),), fail))
    assert shown.png is None
    assert "<paper>" not in shown.html
    assert words_of(shown.html) == "Thing | size | 3 | picture | cannot be drawn: no <paper>"


def test_long_words_are_cut():
    shown = painted(Card("Thing", (("names", "x" * 10_000),)))
    assert len(shown.html) < 2_000
    assert "x" * (cards.LONGEST_WORDS - 3) + "..." in shown.html


def test_double_precision_is_no_obstacle():
    value = smiling().map(lambda values: values.double())
    assert "cannot be drawn" not in value._repr_html_()


def test_gradients_are_no_obstacle():
    value = smiling()
    value.expression.requires_grad_()
    value.rotation.requires_grad_()
    assert "cannot be drawn" not in value._repr_html_()


def test_what_is_of_no_class_that_is_shown_has_no_picture():
    assert paint(object()) is None

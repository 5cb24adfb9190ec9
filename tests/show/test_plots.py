import builtins
import sys
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from morphface.core.errors import MissingDependencyError, ParameterError
from morphface.geometry.camera import Camera
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.render.maps import render_maps
from morphface.show import (
    filmstrip,
    plot_coefficients,
    plot_expressions,
    plot_maps,
    plot_modes,
    plot_residuals,
)
from tests.show.values import face, film, fit, photo, smiling, track
from tests.toy import toy_model


def maps(frames=1):
    names = ("diffuse", "uv", "mask")
    return render_maps(load_model(), film(frames), Camera.facing((48, 64)), names=names)


def lines(axes):
    return {line.get_label(): line.get_xydata() for line in axes.lines}


def ticks(axes):
    return [[t.get_text() for t in side.get_ticklabels()] for side in (axes.yaxis, axes.xaxis)]


PLOTS = {
    "residuals": lambda **k: plot_residuals(fit(), **k),
    "coefficients": lambda **k: plot_coefficients(smiling(), **k),
    "expressions": lambda **k: plot_expressions(film(5), **k),
    "modes": lambda **k: plot_modes(toy_model(), modes=[0], size=32, **k),
    "maps": lambda **k: plot_maps(maps(), **k),
    "filmstrip": lambda **k: filmstrip(torch.zeros(3, 8, 8, 3), **k),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_a_figure_that_shows_itself(name):
    figure = PLOTS[name]()
    assert isinstance(figure, Figure)
    image = Image.open(BytesIO(figure._repr_png_()))
    assert image.format == "PNG"


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_goes_into_given_axes(name):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert PLOTS[name](axes=right) is figure
    assert right.has_data()
    assert not left.has_data()


@pytest.mark.parametrize("name", PLOTS)
def test_pyplot_is_left_alone(name):
    pyplot = sys.modules.get("matplotlib.pyplot")
    before = pyplot and pyplot.get_fignums()
    PLOTS[name]()
    assert (sys.modules.get("matplotlib.pyplot") is not None) == (pyplot is not None)
    assert (pyplot and pyplot.get_fignums()) == before


@pytest.mark.refusal
@pytest.mark.parametrize("name", PLOTS)
def test_a_missing_matplotlib_is_refused_with_the_way_to_get_it(name, monkeypatch):
    real = builtins.__import__

    def without(module, *rest, **named):
        if module.partition(".")[0] == "matplotlib":
            raise ImportError("No module named 'matplotlib'")
        return real(module, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"pip install 'morphface\[notebook\]'"):
        PLOTS[name]()


@pytest.mark.refusal
def test_an_array_of_axes_is_refused():
    with pytest.raises(
        ParameterError, match="axes must be one matplotlib Axes, or None .* ndarray"
    ):
        plot_residuals(fit(), axes=Figure().subplots(1, 2))


def test_residuals_of_landmarks_are_their_history():
    (axes,) = plot_residuals(fit()).axes
    assert lines(axes)["landmarks"].tolist() == [[1, 3.0], [2, 1.0], [3, 0.5]]
    assert axes.get_ylabel() == "residual (pixels)"


def test_residuals_of_pixels_are_their_energy_and_its_terms():
    (axes,) = plot_residuals(face().pixels).axes
    drawn = lines(axes)
    assert drawn["total"].tolist() == [[1, 9.0], [2, 4.0], [3, 2.5]]
    assert drawn["photometric 2 at the end"].tolist() == [[3, 2.0]]
    assert drawn["identity 0.5 at the end"].tolist() == [[3, 0.5]]
    assert axes.get_yscale() == "log"


def test_a_fitted_face_has_a_panel_for_landmarks_and_one_for_pixels():
    assert [a.get_ylabel() for a in plot_residuals(face()).axes] == ["residual (pixels)", "energy"]
    assert len(plot_residuals(face(with_pixels=False)).axes) == 1


def test_a_fitted_photo_has_a_curve_for_each_face():
    marks, pixels = plot_residuals(photo(2)).axes
    assert set(lines(marks)) == {"face 0", "face 1"} == set(lines(pixels))


def test_a_fit_without_steps_is_an_empty_panel():
    (axes,) = plot_residuals(fit(history=())).axes
    assert len(lines(axes)["landmarks"]) == 0


@pytest.mark.refusal
def test_what_is_no_fit_has_no_residuals():
    with pytest.raises(ParameterError, match="result must be a FitResult.* got FaceParameters"):
        plot_residuals(smiling())
    with pytest.raises(ParameterError, match="got no face"):
        plot_residuals(photo(0))


def bars(axes):
    """Heights of the bars in front of the band."""
    return [bar.get_height() for bar in axes.patches if bar.get_zorder() == 2]


def bands(axes):
    """Lowest and highest value of each band."""
    shapes = [band.get_paths()[0].vertices[:, 1] for band in axes.collections]
    return [(shape.min(), shape.max()) for shape in shapes]


def test_coefficients_are_bars_before_their_prior():
    value = replace(smiling(), identity=torch.linspace(-2, 2, 80)[None])
    identity, expression, reflectance = plot_coefficients(value).axes
    np.testing.assert_allclose(bars(identity), value.identity[0])
    np.testing.assert_allclose(bars(expression), value.expression[0])
    assert bars(reflectance) == [0.0] * 80
    assert bands(identity) == [(-2.0, 2.0), (-1.0, 1.0)]
    assert bands(expression) == [(0.0, 1.0)] * 2
    assert ticks(expression)[1] == list(load_model().expression.names)


def test_coefficients_of_a_film_are_medians_with_ranges():
    value = film(5)
    (axes,) = plot_coefficients(value, group="expression").axes
    np.testing.assert_allclose(bars(axes), value.expression.median(0).values)
    ends = np.array([segment[:, 1] for segment in axes.collections[-1].get_segments()])
    np.testing.assert_allclose(ends, torch.stack([value.expression[0], value.expression[-1]], 1))


def test_coefficients_of_an_unknown_model_have_numbers():
    value = FaceParameters.neutral(identity=4, expression=2, reflectance=0)
    identity, expression = plot_coefficients(value).axes
    assert len(bars(identity)) == 4
    assert ticks(expression)[1] == ["expression 0", "expression 1"]


@pytest.mark.refusal
def test_an_unknown_group_is_refused():
    with pytest.raises(ParameterError, match="group must be one of identity, expression"):
        plot_coefficients(smiling(), group="pose")


def test_the_most_moving_expressions_are_drawn_by_default_and_named():
    value = film(9, ("jawOpen", "browInnerUp", "cheekPuff"))
    (axes,) = plot_expressions(value).axes
    drawn = lines(axes)
    assert list(drawn) == ["jawOpen", "browInnerUp", "cheekPuff"]
    np.testing.assert_allclose(drawn["jawOpen"][:, 1], torch.linspace(0, 0.8, 9))
    assert drawn["jawOpen"][:, 0].tolist() == list(range(9))


def test_named_expressions_are_drawn_in_their_order():
    (axes,) = plot_expressions(film(4), ["browInnerUp", "jawLeft"]).axes
    assert list(lines(axes)) == ["browInnerUp", "jawLeft"]


def test_a_track_is_drawn_over_seconds_with_gaps_where_it_is_lost():
    (axes,) = plot_expressions(track(10, lost=(3, 4))).axes
    drawn = lines(axes)["jawOpen"]
    np.testing.assert_allclose(drawn[:, 0], np.arange(10) / 25)
    assert np.isnan(drawn[:, 1]).nonzero()[0].tolist() == [3, 4]
    assert axes.get_xlabel() == "time (s)"


def test_a_face_that_does_not_move_says_so():
    (axes,) = plot_expressions(FaceParameters.neutral(frames=4)).axes
    assert axes.texts[0].get_text() == "no expression moves"


@pytest.mark.refusal
def test_an_unknown_expression_is_refused_with_what_was_meant():
    with pytest.raises(ParameterError, match="no expression is called 'jawopen': .* jawOpen"):
        plot_expressions(film(4), ["jawopen"])


def test_modes_go_from_minus_to_plus_three_deviations():
    (axes,) = plot_modes(toy_model(), size=32).axes
    assert ticks(axes) == [
        [f"identity {k}" for k in range(5)],
        ["-3", "-2", "-1", "0", "+1", "+2", "+3"],
    ]
    picture = np.asarray(axes.images[0].get_array()).astype(int)
    assert picture.shape == (5 * 36 - 4, 7 * 36 - 4, 3)
    tiles = [
        [picture[r : r + 32, c : c + 32] for c in range(0, 252, 36)] for r in range(0, 180, 36)
    ]
    means = [row[3] for row in tiles]
    assert all((mean == means[0]).all() for mean in means)  # the middle is the mean head
    assert np.abs(tiles[0][0] - tiles[0][6]).mean() > 2


def test_modes_of_expressions_go_along_their_bounds():
    (axes,) = plot_modes("open-head", "expression", modes=["jawOpen", 3], size=32).axes
    names = load_model().expression.names
    assert ticks(axes)[0] == ["jawOpen", names[3]]
    assert ticks(axes)[1][0] == "0"
    assert ticks(axes)[1][-1] == "+1"


def test_modes_of_reflectance_change_colours_only():
    (axes,) = plot_modes(toy_model(), "reflectance", modes=[0], size=32).axes
    picture = np.asarray(axes.images[0].get_array()).astype(int)
    first, last = picture[:, :32], picture[:, -32:]
    assert (first != last).any()
    outline = [(np.abs(a - a[0, 0]).max(-1) > 8) for a in (first, last)]
    assert (outline[0] != outline[1]).mean() < 0.05


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"basis": "shape"}, "basis must be one of identity, expression, reflectance"),
        ({"modes": [99]}, "modes of identity must be 0 to 5, got 99"),
        ({"modes": []}, "modes must name at least one mode"),
        ({"basis": "expression", "modes": ["mov0"]}, "no expression mode is called 'mov0'"),
        ({"modes": ["nose"]}, "no identity mode is called 'nose'"),
    ],
)
def test_modes_that_are_not_there_are_refused(options, words):
    with pytest.raises(ParameterError, match=words):
        plot_modes(toy_model(), **options)


@pytest.mark.refusal
def test_a_model_without_colours_has_no_modes_of_them():
    with pytest.raises(ParameterError, match="model 'toy' has no modes of reflectance"):
        plot_modes(replace(toy_model(), reflectance=None), "reflectance")


def test_maps_of_frames_are_rows_with_a_column_for_each_frame():
    drawn = maps(5)
    (axes,) = plot_maps(drawn, ["mask", "diffuse"], count=3).axes
    assert ticks(axes) == [["mask", "diffuse"], ["frame 0", "frame 2", "frame 4"]]
    picture = np.asarray(axes.images[0].get_array())
    want = (drawn["mask"][2].expand(-1, -1, 3) * 255).round().numpy()
    np.testing.assert_array_equal(picture[:48, 68 : 68 + 64], want)


@pytest.mark.refusal
def test_maps_that_are_not_there_are_refused():
    with pytest.raises(ParameterError, match="there is no map 'nose'; there are diffuse, uv, mask"):
        plot_maps(maps(), ["nose"])
    with pytest.raises(ParameterError, match="maps must hold at least one frame"):
        plot_maps(maps(3)[:0])


def test_a_filmstrip_has_frames_from_the_first_to_the_last():
    frames = torch.arange(11).float().view(11, 1, 1, 1).expand(11, 10, 20, 3) / 10
    (axes,) = filmstrip(frames, count=3).axes
    picture = np.asarray(axes.images[0].get_array())
    assert picture.shape == (10, 3 * 24 - 4, 3)
    assert picture[5, [5, 29, 53], 0].tolist() == [0, 128, 255]
    assert ticks(axes)[1] == ["0", "5", "10"]


@pytest.mark.parametrize(
    "frames",
    [
        [torch.zeros(10, 20, 3)] * 2,
        [Photo(torch.zeros(40, 80, 3))] * 2,
        np.zeros((2, 10, 20, 3), dtype=np.uint8),
        [torch.zeros(10, 20, 3), torch.zeros(30, 10, 3)],
    ],
)
def test_a_filmstrip_takes_tensors_photos_and_arrays(frames):
    (axes,) = filmstrip(frames, size=20).axes
    assert len(ticks(axes)[1]) == 2


def test_a_filmstrip_of_a_track_is_its_heads():
    (axes,) = filmstrip(track(50), count=3, size=40).axes
    assert ticks(axes)[1] == ["0.00 s", "0.96 s", "1.96 s"]
    assert axes.images[0].get_array().shape == (40, 3 * 44 - 4, 3)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([], "frames must hold at least one picture"),
        (track(0), "frames must hold at least one picture"),
        (7, "frames must be a sequence of pictures, .* got int"),
        ([torch.zeros(4, 4)], r"each frame must be a picture H x W x 3, got \(4, 4\)"),
        (FaceParameters.neutral(expression=3), "unknown model; pass it as model="),
    ],
)
def test_what_is_no_film_is_refused(frames, words):
    with pytest.raises(ParameterError, match=words):
        filmstrip(frames)

import numpy as np
import pytest

from morphface.core.errors import ParameterError, ShapeError
from morphface.landmarks.parts import AssemblySettings, assemble, face_graph
from morphface.landmarks.parts.kernels import write_means
from morphface.landmarks.parts.links import find_links
from morphface.landmarks.parts.peaks import Peaks, find_peaks
from morphface.synthetic import Dice
from morphface.synthetic.crowds import random_points
from tests.landmarks.parts.conftest import CELLS, GRAPH, perfect, whole

SIZE = (368, 496)


def bump(x, y, cells=(20, 20)):
    """A map with one part at x and y, in pixels."""
    column, row = ((np.arange(side) + 0.5) * 8 for side in cells[::-1])
    return np.exp(-((column - x) ** 2 + (row[:, None] - y) ** 2) / 64)[None].astype(np.float32)


@pytest.mark.parametrize("offset", [(0, 0), (4, 0), (4, 4), (2.5, 6.1)])
def test_a_peak_is_found_once_and_to_a_part_of_a_cell(offset):
    x, y = 76 + offset[0], 84 + offset[1]
    peaks = find_peaks(bump(x, y), AssemblySettings())
    assert len(peaks) == 1
    np.testing.assert_allclose(peaks.points, [[x, y]], atol=1.3)


@pytest.mark.parametrize(
    "place", [(80.0, 7.5), (7.5, 80.0), (152.5, 80.0), (80.0, 3.0), (2.0, 157.0)]
)
def test_a_part_at_the_border_is_one(place):
    peaks = find_peaks(bump(*place), AssemblySettings())
    assert len(peaks) == 1
    np.testing.assert_allclose(peaks.points, [place], atol=5)


def test_the_centroid_beats_the_middle_of_the_cell():
    places = [(70 + 0.7 * k, 90 - 0.3 * k) for k in range(12)]
    found = [find_peaks(bump(x, y), AssemblySettings()).points[0] for x, y in places]
    coarse = [find_peaks(bump(x, y), AssemblySettings(window=1)).points[0] for x, y in places]
    away = [np.linalg.norm(np.array(each) - places, axis=1).mean() for each in (found, coarse)]
    assert away[0] < 0.8 * away[1]


def test_only_the_highest_peaks_are_kept():
    maps = np.maximum.reduce([bump(20 + 40 * k, 80) * (1 - 0.1 * k) for k in range(4)])
    peaks = find_peaks(maps, AssemblySettings(most=2))
    np.testing.assert_allclose(peaks.points[:, 0], [20, 60], atol=1)


def test_flat_maps_have_no_peak_but_one_where_they_are_high():
    assert len(find_peaks(np.zeros((1, 9, 9), np.float32), AssemblySettings())) == 0


def pair_of(distance, field):
    """The score of two peaks on a uniform field, by the length penalty's setting."""
    graph = face_graph("face")
    peaks = Peaks(
        np.array([[100.0, 100.0], [100.0 + distance, 100.0]]), np.array([0, 1]), np.ones(2)
    )
    fields = np.zeros((len(graph.limbs), 2, *CELLS))
    fields[graph.limbs.index((0, 1)), 0] = field
    return find_links(peaks, fields, graph, AssemblySettings(longest=0.5))


def test_the_integral_of_a_uniform_field_is_its_value():
    np.testing.assert_allclose(pair_of(100, 0.7).score, [0.7])


def plain_mean(begin, end, field, along=0.05, passing=0.6):
    """Equation 10 of Cao et al. 2019 for one pair, with the rules of the public code."""
    way = end - begin
    unit = way / np.linalg.norm(way)
    count = int(np.clip(np.round(np.sqrt(5 * np.abs(way).max())), 5, 25))
    spots = begin + np.linspace(0, 1, count)[:, None] * way
    cells = (spots / 8).astype(int).clip(0, [CELLS[1] - 1, CELLS[0] - 1])
    told = field[:, cells[:, 1], cells[:, 0]].T @ unit
    passed = told > along
    return told[passed].mean() if passed.sum() > passing * count - 1e-9 else 0.0


def test_the_compiled_integral_is_the_plain_one():
    dice = np.random.default_rng(4)
    points = dice.uniform(0, [SIZE[1], SIZE[0]], (40, 2))
    fields = dice.normal(0.3, 0.4, (3, 2, *CELLS))
    pairs = dice.integers(0, 3, 300), dice.integers(0, 20, 300), dice.integers(20, 40, 300)
    found = np.full(300, np.nan)
    write_means(points, pairs, fields, 8.0, (0.05, 0.6, 5, 25), found)
    wanted = [plain_mean(points[a], points[b], fields[k]) for k, a, b in zip(*pairs, strict=True)]
    assert 30 < np.count_nonzero(wanted) < 270
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_limbs_that_are_too_long_lose_what_they_are_too_long():
    np.testing.assert_allclose(pair_of(230, 0.7).score, [0.7 + 0.5 * 368 / 230 - 1])
    assert not len(pair_of(10, -0.7).limb)


def test_pairs_at_one_spot_are_taken_without_a_field():
    assert pair_of(1.0, 0.0).score.item() == pytest.approx(1e-6)


def test_too_few_samples_on_the_field_are_no_limb():
    graph, half = face_graph("face"), pair_of(100, 0.7)
    peaks = Peaks(np.array([[100.0, 100.0], [200.0, 100.0]]), np.array([0, 1]), np.ones(2))
    fields = np.zeros((len(graph.limbs), 2, *CELLS))
    fields[graph.limbs.index((0, 1)), 0, :, : 190 // 8] = 0.7
    assert len(half.limb) == 1
    assert not len(find_links(peaks, fields, graph, AssemblySettings()).limb)
    assert len(find_links(peaks, fields, graph, AssemblySettings(passing=0.75)).limb) == 1


@pytest.mark.parametrize("pairing", ["greedy", "hungarian"])
def test_crowds_come_back_as_they_were(template, pairing):
    settings, right = AssemblySettings(pairing=pairing), 0
    for number in range(12):
        dice, room = Dice(3, number), {"heights": (40, 120), "apart": 24, "clear": 24}
        crowd = random_points(template, GRAPH, 3 + number, SIZE, dice, **room)
        known = crowd.points, crowd.visible
        right += whole(assemble(*perfect(*known), GRAPH, settings), *known)
    assert right == 12


def test_crossing_faces_are_two(template):
    flat = (template - template.mean(0))[:, :2] * [1, -1]
    turned = flat @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    points = np.array([[248.0, 184.0]]) + 1.4 * np.stack([flat, turned])
    near = np.linalg.norm(points[0] - points[1], axis=-1) < 24
    seen = np.array([~near, ~near])
    assert whole(assemble(*perfect(points, seen), GRAPH), points, seen)


def test_a_false_limb_between_two_faces_makes_no_one_face_of_them(template):
    """Its ends are free, and its field is as strong as any: only that both are whole tells."""
    flat = 1.2 * (template - template.mean(0))[:, :2] * [1, -1]
    points = np.stack([flat + [120, 130], flat + [370, 240]])
    seen = np.ones((2, len(flat)), bool)
    maps, fields = perfect(points, seen)
    limb = GRAPH.limbs.index((10, 11))
    false = points[:1].copy()
    false[0, 11] = points[1, 11]
    fields[limb] = perfect(false, seen[:1])[1][limb]
    wrong = AssemblySettings(longest=2.0)
    peaks = find_peaks(maps, wrong)
    linked = find_links(peaks, fields, GRAPH, wrong)
    assert (linked.limb == limb).sum() == 1
    assert whole(assemble(maps, fields, GRAPH, wrong), points, seen)


def test_hungarian_takes_the_best_pairs_together():
    """The best pair alone leaves a worse sum: 0.9 + 0.1 against 0.8 + 0.8."""
    graph = face_graph("face")
    limb = graph.limbs.index((0, 1))
    peaks = Peaks(
        np.array([[50.0, 50], [50.0, 250], [250.0, 50], [250.0, 250]]),
        np.array([0, 0, 1, 1]),
        np.ones(4),
    )
    fields = np.zeros((len(graph.limbs), 2, *CELLS))
    fields[limb, 0] = 0.45
    fields[limb, 1] = np.linspace(-1, 1, 46)[:, None] * 0.9
    both = {
        name: find_links(peaks, fields, graph, AssemblySettings(pairing=name, support=0, along=0))
        for name in ("greedy", "hungarian")
    }
    assert both["hungarian"].score.sum() >= both["greedy"].score.sum()


def test_the_same_maps_give_the_same_faces(template):
    crowd = random_points(template, GRAPH, 9, SIZE, Dice(5, 0))
    maps, fields = perfect(crowd.points, crowd.visible)
    one, other = (assemble(maps, fields, GRAPH) for _ in range(2))
    np.testing.assert_array_equal(one.points, other.points)
    np.testing.assert_array_equal(one.score, other.score)


def test_nobody_is_found_in_nothing():
    maps = np.zeros((len(GRAPH.parts), *CELLS))
    fields = np.zeros((len(GRAPH.limbs), 2, *CELLS))
    assert len(assemble(maps, fields, GRAPH)) == 0


def test_two_parts_are_no_face(template):
    crowd = random_points(template, GRAPH, 1, SIZE, Dice(6, 0))
    seen = np.zeros_like(crowd.visible)
    seen[0, :2] = True
    assert len(assemble(*perfect(crowd.points, seen), GRAPH)) == 0


@pytest.mark.refusal
def test_maps_of_another_graph_are_refused():
    with pytest.raises(ShapeError, match="maps must have shape"):
        assemble(np.zeros((3, *CELLS)), np.zeros((1, 2, *CELLS)), GRAPH)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"peak": 2.0}, "peak must be from 0 to 1, got 2.0"),
        ({"window": 4}, "window must be an odd number of cells, got 4"),
        ({"samples": (9, 5)}, "samples must rise from 2 or more"),
        ({"pairing": "best"}, "pairing must be one of greedy, hungarian, got 'best'"),
        ({"fewest": 0}, "fewest must be 1 or more, got 0"),
        ({"longest": 0.0}, "longest must be above 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wish, words):
    with pytest.raises(ParameterError, match=words.replace("(", r"\(")):
        AssemblySettings(**wish)

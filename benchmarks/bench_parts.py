"""Does the assembly put everybody together, what does it cost, and whom does the network find?

    python -m benchmarks.bench_parts [--run RUN] [--held HEADS]
        [--only assembly|cost|others|network]

- `assembly`: 2,000 crowds of 2 to 30 faces of points on 368 x 496 pixels, turned up to full
  profile, some before others, from perfect maps, by both ways of pairing, and without the third
  parts that a limb may be surer for. Exact: as many faces as people, each with exactly the parts
  that are seen of one person, none farther than 5 pixels. No part lies within 24 pixels of another
  face's limb that ends in such a part, for then the field alone does not tell whose it is; "any"
  are crowds without that. Then with noise on maps and fields, and with parts
  taken away from the maps: the share of the people of whom most parts came back in one face that
  has none of another's, and faces that are mixed or nobody's.
- `crossing`: two faces whose limbs cross, 500 times.
- `cost`: milliseconds by the number of people, of network and assembly, of MediaPipe's landmarker,
  which runs a network for each face that it finds, and from the top down: YuNet, which finds most
  of a crowd, and MediaPipe's landmark network for each of its boxes. In crowds these find few;
  `cost, apart` is of faces side by side, all of which they find.
- `held out`: crowds of rendered people that the network, if it is given, has not seen, and which of
  them MediaPipe and YuNet find. `recall` at the usual thresholds, and at no wrong face: above the
  surest of these.
- `photos`: the shared photos.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common import DATA, RESULTS, measure, report, seed
from benchmarks.top_down import (
    SureMediaPipe,
    SureYuNet,
    boxes_then_landmarks,
    cost_apart,
    hits_of_boxes,
)
from morphface.landmarks import MediaPipeDetector, YuNetDetector
from morphface.landmarks.boxes import Box
from morphface.landmarks.detectors.parts import PartsDetector
from morphface.landmarks.parts import (
    AssemblySettings,
    PartsConfig,
    PartsNetwork,
    affinity_fields,
    assemble,
    confidence_maps,
    face_graph,
    find_parts,
    load_parts,
)
from morphface.landmarks.parts.assembly import Assembled
from morphface.landmarks.parts.find import SIDES, maps_of
from morphface.media.images import Photo, read_image
from morphface.models import load_model
from morphface.pipelines.parts.validation import Hits, hits_of
from morphface.synthetic import Dice
from morphface.synthetic.crowds import (
    Crowd,
    Crowds,
    PointCrowd,
    load_heads,
    part_points,
    random_points,
    render_heads,
)

SIZE, CELLS = (368, 496), (46, 62)
SHOWN = (272, 368)
CROWDS, HELD_CROWDS = 2000, 100
NOISE = (0.02, 0.05, 0.1, 0.2, 0.3)
MISSING = (0.05, 0.1, 0.2, 0.3, 0.5)
PEOPLE = (1, 2, 5, 10, 20, 30)
PROFILE = np.deg2rad(60)
GRAPH = face_graph("face")
NEAR = 5.0  # pixels
NOBODY = Hits(0, (), ())
ORDER = ("assembly", "crossing", "cost", "held out", "photos")


def template() -> np.ndarray:
    """The parts on the mean head, in millimetres."""
    model = load_model()
    points = part_points(model).points(model.identity.mean)[list(GRAPH.points)]
    return points.double().numpy()


def crowd_of_points(head: np.ndarray, number: int, clear: float = 24.0) -> PointCrowd:
    """2 to 30 people, small crowds as likely as large ones."""
    dice = Dice(7, number)
    count = round(2 * 15 ** dice.number(0, 1))
    wish: Any = {"heights": (30, 150), "apart": 24, "clear": clear}
    return random_points(head, GRAPH, count, SIZE, dice, **wish)


def perfect(crowd: PointCrowd) -> tuple[np.ndarray, np.ndarray]:
    """What a perfect network would say."""
    known = crowd.points, crowd.visible
    return confidence_maps(*known, CELLS), affinity_fields(*known, GRAPH, CELLS)


def matched(found: Assembled, crowd: PointCrowd) -> list[tuple[int, int, int]]:
    """Of each face: whose it is, how many parts are that person's, and how many are not."""
    out = []
    for points in found.points:
        there = ~np.isnan(points[:, 0])
        near = np.abs(np.nan_to_num(points) - crowd.points).max(-1) < NEAR
        own = (near & there & crowd.visible).sum(1)
        out.append((int(own.argmax()), int(own.max()), int(there.sum() - own.max())))
    return out


def exact(found: Assembled, crowd: PointCrowd) -> bool:
    """Whether everybody is there, with all parts that are seen and no other."""
    whose = matched(found, crowd)
    seen = crowd.visible.sum(1)
    right = {who for who, own, other in whose if not other and own == seen[who]}
    return len(whose) == len(crowd.points) == len(right)


def counts(found: Assembled, crowd: PointCrowd, left: np.ndarray) -> np.ndarray:
    """People, those of whom most of what is left came back unmixed, and mixed faces."""
    whose = matched(found, crowd)
    good = {who for who, own, other in whose if not other and 2 * own > left[who]}
    mixed = sum(other > 0 for _, _, other in whose)
    return np.array([(left >= 3).sum(), len(good & set(np.nonzero(left >= 3)[0])), mixed])


def bench_assembly(head: np.ndarray, many: int) -> list[dict[str, Any]]:
    """Exactly, with noise, and with parts missing."""
    ways = {
        "greedy": AssemblySettings(),
        "hungarian": AssemblySettings(pairing="hungarian"),
        "scores alone": AssemblySettings(support=0.0),
    }
    right, tried = (
        dict.fromkeys((*ways, "greedy, any"), 0),
        dict.fromkeys((*ways, "greedy, any"), 0),
    )
    spoilt = {(kind, much): np.zeros(3) for kind, all_ in SPOILT.items() for much in all_}
    for number in range(many):
        crowd = crowd_of_points(head, number)
        both = perfect(crowd)
        for name, settings in ways.items():
            if name != "scores alone" or number % 5 == 0:
                tried[name] += 1
                right[name] += exact(assemble(*both, GRAPH, settings), crowd)
        if number % 5 == 0:
            crowded = crowd_of_points(head, number, clear=0.0)
            tried["greedy, any"] += 1
            right["greedy, any"] += exact(assemble(*perfect(crowded), GRAPH), crowded)
        if number % 20 == 0:
            for (kind, much), total in spoilt.items():
                total += worse(kind, much, crowd, np.random.default_rng(number))
    rows = [
        {"case": "assembly", "pairing": name, "crowds": tried[name], "exact": count}
        for name, count in right.items()
    ]
    for (kind, much), (people, good, mixed) in spoilt.items():
        row = {"case": f"assembly, {kind}", "share": much, "people": int(people)}
        rows.append(row | {"whole": round(good / people, 4), "mixed": round(mixed / people, 4)})
    return rows


SPOILT = {"noise": NOISE, "missing": MISSING}


def worse(kind: str, much: float, crowd: PointCrowd, rng: np.random.Generator) -> np.ndarray:
    """`counts` of a crowd with noise of a standard deviation, or without a share of the parts."""
    left = crowd.visible
    if kind == "missing":
        left = left & (rng.random(left.shape) >= much)
    maps = confidence_maps(crowd.points, left, CELLS)
    fields = affinity_fields(crowd.points, crowd.visible, GRAPH, CELLS)
    if kind == "noise":
        maps = maps + much * rng.standard_normal(maps.shape).astype(np.float32)
        fields = fields + much * rng.standard_normal(fields.shape).astype(np.float32)
    settings = AssemblySettings(peak=max(0.05, 3 * much if kind == "noise" else 0))
    return counts(assemble(maps, fields, GRAPH, settings), crowd, left.sum(1))


def bench_crossing(head: np.ndarray, many: int = 500) -> list[dict[str, Any]]:
    """Two faces on the same spot, one upright and one turned by a quarter or more."""
    merged = right = 0
    for number in range(many):
        crowd = crossing(head, Dice(11, number))
        found = assemble(*perfect(crowd), GRAPH)
        merged += any(other > 0 for _, _, other in matched(found, crowd))
        right += exact(found, crowd)
    return [{"case": "crossing", "pairs": many, "exact": right, "merged": merged}]


def crossing(head: np.ndarray, dice: Dice) -> PointCrowd:
    """Two faces about the same middle, the limbs of one across those of the other."""
    flat = (head - head.mean(0))[:, :2] * [1, -1]
    rows = []
    for angle in (0.0, dice.number(1.5, 4.8)):
        c, s = np.cos(angle), np.sin(angle)
        off = np.array([248.0, 184.0]) + dice.normal(2).numpy() * 12
        rows.append(off + dice.number(1.0, 1.6) * flat @ np.array([[c, s], [-s, c]]))
    points = np.array(rows)
    near = np.linalg.norm(points[0] - points[1], axis=-1) < 24
    return PointCrowd(points, np.array([~near, ~near]))


def bench_cost(network: PartsNetwork, heads: Any, peer: MediaPipeDetector) -> list[dict[str, Any]]:
    """Milliseconds by how many there are; assembly also from perfect maps of so many faces."""
    head, rows, boxes = template(), [], YuNetDetector()
    for people in PEOPLE:
        crowd = Crowds(heads, 5, (276, 368), people=people, clean=True).crowd(0)
        photo = Photo(torch.from_numpy(crowd.picture))
        points = random_points(
            head, GRAPH, people, SIZE, Dice(13, people), heights=(30, 150), apart=24
        )
        maps, fields = perfect(points)
        calls = {
            "network": lambda p=crowd.picture: maps_of(p, network, 368),
            "assembly": lambda m=maps, f=fields: assemble(m, f, GRAPH),
            "mediapipe": lambda p=photo: peer.detect(p),
            "top_down": lambda p=photo: boxes_then_landmarks(p, boxes),
        }
        timed = measure(calls, runs=10, warmup=2)
        row: dict[str, Any] = {"case": "cost", "people": people}
        row |= {f"{name}_ms": one["processor_ms"] for name, one in timed.items()}
        row |= {"mediapipe_found": len(peer.detect(photo))}
        row |= {"top_down_boxes": len(boxes.detect(photo))}
        rows.append(row | {"top_down_found": len(boxes_then_landmarks(photo, boxes))})
    return rows + [cost_apart(network, heads, people) for people in PEOPLE]


def bench_held(network: PartsNetwork, heads: Any) -> list[dict[str, Any]]:
    """Crowds of people whom the network has not seen: all, and those in profile."""
    crowds = Crowds(heads, 1_000_001, SHOWN)
    total = {"all": NOBODY, "profiles": NOBODY}
    for number in range(HELD_CROWDS):
        crowd = crowds.crowd(number)
        found = find_parts(crowd.picture, network, sides=SIDES[:1])
        total["all"] += hits_of(found, crowd, GRAPH)
        total["profiles"] += hits_of(found, crowd, GRAPH, sideways(crowd))
    return held_rows({"parts": total})


def bench_others(heads: Any) -> list[dict[str, Any]]:
    """Whom of the same crowds detectors from the top down find."""
    crowds, rows = Crowds(heads, 1_000_001, SHOWN), list(GRAPH.points)
    others = {"mediapipe": SureMediaPipe(), "yunet": SureYuNet()}
    totals = {name: {"all": NOBODY, "profiles": NOBODY} for name in others}
    for number in range(HELD_CROWDS):
        crowd = crowds.crowd(number)
        photo = Photo(torch.from_numpy(crowd.picture))
        for name, other in others.items():
            found, total = other(photo), totals[name]
            total["all"] += hits_of_boxes(found, crowd, rows)
            total["profiles"] += hits_of_boxes(found, crowd, rows, sideways(crowd))
    others["mediapipe"].close()
    return held_rows(totals)


def sideways(crowd: Crowd) -> np.ndarray:
    """Who is seen from the side."""
    return (np.abs(crowd.yaw) > PROFILE) & (np.abs(crowd.yaw) < np.pi - PROFILE)


def held_rows(totals: dict[str, dict[str, Hits]]) -> list[dict[str, Any]]:
    """A row for each who finds and each who is to be found."""
    out = []
    for name, total in totals.items():
        for who, hits in total.items():
            row = {"case": "held out", "by": name, "who": who, "people": hits.people}
            row |= {"recall": round(hits.recall, 4), "wrong": len(hits.wrong)}
            out.append(row | {"recall_at_no_wrong": round(hits.surest_recall, 4)})
    return out


PHOTOS = {
    "astronaut.png": [(232, 122, 110)],
    "glasses_frontal.jpg": [(208, 225, 190)],
    "grace_hopper.jpg": [(238, 240, 170)],
    "laos_two_faces.jpg": [(190, 400, 190), (678, 330, 210)],
    "model_face_hand.jpg": [(494, 650, 520)],
    "noface_rocket.jpg": [],
    "old_man_side.jpg": [(209, 147, 70)],
    "sunglasses_selfie.jpg": [(259, 170, 76)],
    "woman_portrait.jpg": [(540, 850, 840)],
}
"""Middle and height, by hand and roughly, of each face; the old man's is seen from the side."""


def right_boxes(boxes: list[Box], faces: list[tuple[int, int, int]]) -> list[bool]:
    """Which boxes are of a face: near its middle and of its size within a factor of two."""
    free, out = list(faces), []
    for left, top, right, bottom in boxes:
        x, y, size = (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top)
        own = [
            face
            for face in free
            if np.hypot(x - face[0], y - face[1]) < 0.5 * face[2] and 0.5 < size / face[2] < 2
        ]
        out.append(bool(own))
        free = [face for face in free if not own or face is not own[0]]
    return out


def bench_photos(network: PartsNetwork, peer: MediaPipeDetector) -> list[dict[str, Any]]:
    """Faces in the shared photos, of the parts, of MediaPipe and of YuNet."""
    ours, out = PartsDetector(network), []
    for name, faces in PHOTOS.items():
        photo = read_image(DATA / "photos" / name)
        parts = ours.parts(photo)
        good = right_boxes([face.box for face in parts], faces)
        row: dict[str, Any] = {"case": "photos", "photo": name, "people": len(faces)}
        for word, wanted in (("right", True), ("wrong", False)):
            pairs = zip(parts, good, strict=True)
            row[f"parts_{word}"] = [round(face.score, 3) for face, is_ in pairs if is_ == wanted]
        row["landmarks"] = [face.scheme for face in ours.detect(photo)]
        for who, other in (("mediapipe", peer), ("yunet", YuNetDetector())):
            found = right_boxes([face.box for face in other.detect(photo)], faces)
            row |= {who: sum(found), f"{who}_wrong": len(found) - sum(found)}
        out.append(row)
    least = max((score for row in out for score in row["parts_wrong"]), default=-1.0)
    total: dict[str, Any] = {"case": "photos", "photo": "all"}
    total |= {
        word: sum(row[word] for row in out)
        for word in ("people", "mediapipe", "mediapipe_wrong", "yunet", "yunet_wrong")
    }
    total["parts"] = sum(len(row["parts_right"]) for row in out)
    total["parts_wrong"] = sum(len(row["parts_wrong"]) for row in out)
    above = (score > least for row in out for score in row["parts_right"])
    return [*out, total | {"parts_at_no_wrong": sum(above)}]


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--run", type=Path)
    options.add_argument("--held", type=Path)
    options.add_argument("--crowds", type=int, default=CROWDS)
    options.add_argument("--only", choices=("assembly", "cost", "others", "network"))
    given = options.parse_args()
    seed()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    if given.only in (None, "assembly"):
        head = template()
        rows = bench_assembly(head, given.crowds) + bench_crossing(head)
    if given.only != "assembly":
        rows += bench_network(given.run, given.held, given.only)
    if given.only is not None:
        rows = sorted(rows + stored(rows), key=lambda row: ORDER.index(row["case"].split(",")[0]))
    report("parts", rows)


def stored(new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What an earlier run said of cases that are not measured anew."""
    place = RESULTS / "parts.json"
    rows = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else []
    names = {(row["case"], row.get("by")) for row in new}
    return [row for row in rows if (row["case"], row.get("by")) not in names]


def bench_network(run: Path | None, held: Path | None, only: str | None) -> list[dict[str, Any]]:
    """Cost, who is found from the top down, and of a trained network whom it finds."""
    heads = render_heads(96, 1_000_001) if held is None else load_heads(held)
    network = PartsNetwork(PartsConfig()).eval() if run is None else load_parts(run)
    rows: list[dict[str, Any]] = []
    with MediaPipeDetector() as peer:
        if only != "others":
            rows += bench_cost(network, heads, peer)
        if only != "cost":
            rows += bench_others(heads)
        if run is not None and only not in ("cost", "others"):
            rows += bench_held(network, heads) + bench_photos(network, peer)
    return rows


if __name__ == "__main__":
    main()

"""Does a trained person do what a driver does? The result is tracked again, and compared.

Drivers:

- `film`: the longest tracked stretch of a black and white film with small faces;
- `rendered`: a photo of another person, whose redrawn face turns, talks, blinks and looks about;
- `self`: the kept frames of the trained clip.

The result is a whole video, enlarged to twice its size and tracked as any other. "asked" compares
with what was asked for, the parameters after transfer; "driver" with those of the driver itself,
both relative to their own mean over the clip, since people differ in their resting faces and are
before other cameras.
"still" is what a result that never moves would have: the mean of what was asked for. For `self`,
"camera" tracks the true frames in the same way: no result can be expected to be nearer.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import roma
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from benchmarks.clips import FILM, FOLDER, cut
from benchmarks.dvp_runs import clip
from morphface.core.errors import NoFaceError
from morphface.edit import Rule, TransferSettings, edit
from morphface.evaluate import aed_expression, ard, gaze_error
from morphface.media.images import write_image
from morphface.media.video import VideoWriter, read_video
from morphface.parameters import LOST, FaceParameters, Track, load_track, save_track
from morphface.pipelines.photo import fit_photo
from morphface.pipelines.reenact import reenact_video
from morphface.pipelines.reenact.driver import driven, read_driver, rows_at, run_settings
from morphface.pipelines.reenact.run import open_run
from morphface.pipelines.reenact.target import read_target
from morphface.pipelines.tracking import track_video
from morphface.rerender import Rerenderer

ABSOLUTE = TransferSettings(
    **{name: Rule("absolute") for name in ("rotation", "translation", "expression", "gaze")},
    match_eyes=False,
)
RATE = 25.0
FRAMES = 75
SHOWN = 8
ENLARGED = 2


def film_driver(work: Path) -> Path:
    """The film's longest stretch in which one person is not lost."""
    path = work / "film.npz"
    if not path.is_file():
        track_video(FOLDER / FILM, work / "film", people=2, overlay=False)
        tracks = [load_track(file)[0] for file in sorted((work / "film").glob("*/track.npz"))]
        stretches = [track[rows] for track in tracks for rows in _stretches(track)]
        best = max(stretches, key=lambda stretch: stretch.frames)
        save_track(path, best, model="open-head", extra={"video": str(FOLDER / FILM)})
    return path


def rendered_driver(work: Path) -> Path:
    """Another person's photo, brought to life; the track is what was drawn."""
    path, video = work / "rendered.npz", work / "rendered.mp4"
    if not path.is_file():
        fitted = fit_photo("sample:astronaut")
        face = fitted.faces[0]
        moved = edit(face.parameters, model=face.model, additive=True, **_moves())
        stage = Rerenderer(face, fitted.photo)
        with VideoWriter(video, fitted.photo.size, RATE) as writer:
            for k in range(FRAMES):
                writer.write(stage(moved[k]), k / RATE)
        indices = torch.arange(FRAMES)
        track = Track(
            moved,
            face.camera,
            states=torch.zeros(FRAMES, dtype=torch.long),
            times=indices.double() / RATE,
            indices=indices,
            landmark_nme=torch.full((FRAMES,), float("nan")),
            boxes=torch.full((FRAMES, 4), float("nan")),
        )
        save_track(path, track, model=face.model.name, extra={"video": str(video)})
    return path


def self_driver(work: Path, run: Path, kept: list[int]) -> Path:
    """The kept frames of the trained person."""
    path = work / "self.npz"
    if not path.is_file():
        save_track(path, read_target(run).track[kept[0] : kept[-1] + 1], model="open-head")
    return path


def _moves() -> dict[str, Any]:
    """A head that turns within what the trained one does, talks, blinks and looks about."""
    time = torch.linspace(0, 2 * torch.pi, FRAMES)
    talk = 0.25 - 0.25 * torch.cos(4 * time)
    blink = torch.exp(-(((torch.arange(FRAMES) - 40) / 2.0) ** 2))
    smile = 0.6 * torch.sin(time / 2) ** 4
    weights = {"jawOpen": talk, "eyeBlinkLeft": blink, "eyeBlinkRight": blink}
    weights |= {"mouthSmileLeft": smile, "mouthSmileRight": smile}
    gaze = torch.stack([15 * torch.sin(2 * time), 5 * torch.cos(2 * time)], dim=-1)
    turn = {"yaw": 8 * torch.sin(time), "pitch": 4 * torch.sin(2 * time)}
    return {"expression": weights, "gaze": gaze, **turn}


def _stretches(track: Track) -> list[slice]:
    """Rows without a lost frame between them."""
    found, first = [], None
    for row, state in enumerate([*track.states.tolist(), LOST]):
        if state == LOST and first is not None:
            found.append(slice(first, row))
            first = None
        elif state != LOST and first is None:
            first = row
    return found


def bench_reenact(work: Path, run: Path, kept: list[int]) -> list[dict[str, Any]]:
    """A row for each driver."""
    drivers = {
        "self": (self_driver(work, run, kept), ABSOLUTE),
        "rendered": (rendered_driver(work), run_settings("reenact")),
        "film": (film_driver(work), run_settings("reenact")),
    }
    rows = [compared(work, run, name, path, settings) for name, (path, settings) in drivers.items()]
    true = work / "kept.mp4"
    if not true.is_file():
        cut(clip(), true, kept[0], len(kept))
    again = tracked_again(work, true, run)
    if again is None:
        return rows
    found, seen = again
    asked = _chosen(read_target(run).track.parameters, kept[0] + seen)
    rows.append({"case": "tracked again: camera", "frames": len(seen), **asked_row(found, asked)})
    return rows


def compared(
    work: Path, run: Path, name: str, path: Path, settings: TransferSettings
) -> dict[str, Any]:
    """The row of one driver."""
    opened = open_run(run)
    driver = read_driver(path, opened)
    rows = rows_at(opened.target.track, driver.times - driver.times[0], opened.target.rate)
    asked = driven(driver, opened, settings, rows)
    out = work / f"reenact_{name}.mp4"
    told = reenact_video(
        run, path, out, settings=settings, compare=True, label=False, clip=clip(), sound="none"
    )
    again = tracked_again(work, out, run)
    row = {"case": f"reenactment: {name}", "frames": asked.frames, "warnings": told["warnings"]}
    if again is None:
        return row | {"tracked": 0}
    found, seen = again
    own, wanted = _chosen(driver.actor.parameters, seen), _chosen(asked, seen)
    still = _chosen(wanted, torch.zeros(len(seen), dtype=torch.long))
    return {
        **row,
        "tracked": len(seen),
        **asked_row(found, wanted),
        **_named("driver", measured(relative(found), relative(own))),
        **_named("still", measured(relative(still), relative(wanted))),
    }


def asked_row(found: FaceParameters, wanted: FaceParameters) -> dict[str, float]:
    """Against what was asked for, as it is and relative to the means."""
    return {
        **_named("asked", measured(found, wanted)),
        **_named("asked_relative", measured(relative(found), relative(wanted))),
    }


def tracked_again(work: Path, video: Path, run: Path) -> tuple[FaceParameters, Tensor] | None:
    """What the tracker finds in a video, and in which of its frames; None if it finds no face."""
    large = video.with_name(f"{video.stem}-large.mp4")
    file = work / f"{large.stem}_track" / "track.npz"
    if not file.is_file() or file.stat().st_mtime < video.stat().st_mtime:
        enlarge(video, large)
        target = read_target(run)
        scale = ENLARGED * target.crop.side / target.crop.size
        focal = float(target.track.camera.focal) * scale
        try:
            track_video(large, file.parent, focal=focal, overlay=False)
        except NoFaceError:
            return None
    track = load_track(file)[0]
    rows = (track.states != LOST).nonzero().flatten()
    return _chosen(track.parameters, rows), track.indices[rows]


def enlarge(source: Path, out: Path) -> None:
    """The same video with larger frames, in which small blurred faces are found sooner."""
    with read_video(source) as video:
        size = tuple(ENLARGED * side for side in video.size)
        with VideoWriter(out, size, video.rate) as writer:
            for frame in video:
                planes = frame.photo.pixels.movedim(-1, 0)[None]
                large = interpolate(planes, size, mode="bicubic", align_corners=False)
                writer.write(large[0].movedim(0, -1).clamp(0, 1), frame.time)


def measured(result: FaceParameters, reference: FaceParameters) -> dict[str, float]:
    """ARD and gaze in degrees, AED of the expression."""
    values = {"ard": ard, "aed_expression": aed_expression, "gaze": gaze_error}
    return {name: round(float(m(result, reference).mean()), 4) for name, m in values.items()}


def relative(face: FaceParameters) -> FaceParameters:
    """The change from the mean pose, expression and gaze."""
    turns = roma.rotvec_to_rotmat(face.rotation)
    mean = roma.special_procrustes(turns.mean(dim=0))
    return replace(
        face,
        rotation=roma.rotmat_to_rotvec(turns @ mean.T),
        expression=face.expression - face.expression.mean(dim=0),
        gaze=face.gaze - face.gaze.mean(dim=0),
    )


def draw_sheet(path: Path, video: Path, frames: int) -> None:
    """Some frames of a video below each other."""
    chosen = set(torch.linspace(0, frames - 1, SHOWN).round().long().tolist())
    with read_video(video) as source:
        pictures = [frame.photo.pixels for frame in source if frame.index in chosen]
    write_image(path, torch.cat(pictures))


def _chosen(face: FaceParameters, rows: Tensor) -> FaceParameters:
    """Some frames."""
    names = ("expression", "illumination", "rotation", "translation", "gaze")
    return replace(face, **{name: getattr(face, name)[rows] for name in names})


def _named(prefix: str, values: dict[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in values.items()}

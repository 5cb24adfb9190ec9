"""Photos that a clip drives: nothing true is there to compare with, but identity, pose, expression.

Half of the shared photos served for tuning other parts of this toolkit; these are the others.
"""

from functools import lru_cache

import torch

from benchmarks.clips import FOLDER
from benchmarks.headgan_clip import rows_of, tracked
from benchmarks.headgan_measures import people_of, shown, spread
from morphface.core.errors import MorphfaceError
from morphface.edit import transfer
from morphface.generate.networks.warp import warped
from morphface.media.images import write_image
from morphface.pipelines.oneshot.films import photo_settings
from morphface.pipelines.oneshot.run import photo_run
from morphface.pipelines.photo import fit_photo
from morphface.rerender import Rerenderer

PHOTOS = ("grace_hopper.jpg", "model_face_hand.jpg", "sunglasses_selfie.jpg", "old_man_side.jpg")
FRAMES = 4
"""Of the driver, evenly over the half of the clip with all turns."""


@lru_cache
def fitted(name: str):
    """A shared photo with what was fitted to it; None if nobody was found."""
    try:
        return fit_photo(FOLDER.parent / "photos" / name)
    except MorphfaceError:
        return None


def driven(run, driver):
    """Parameters of a photo's person, who moves as the driver does."""
    own = run.target.track.parameters
    return transfer(
        driver, own, photo_settings("reenact", expression="relative"), target_model=run.model
    )


def moved_photos(cache, generator) -> dict[str, dict[str, torch.Tensor]]:
    """For each photo its frames by each method, and the parameters that were wanted."""
    rows = rows_of("second")
    places = [rows[k] for k in torch.linspace(0, len(rows) - 1, FRAMES).long()]
    driver, found = tracked(cache).parameters[places], {}
    for name in PHOTOS:
        photo = fitted(name)
        if photo is not None:
            found[name] = _methods(photo_run(photo, cache, generator, name=name), photo, driver)
    return found


def _methods(run, photo, driver) -> dict:
    moves = driven(run, driver)
    made = torch.stack([one.frame for one in run.frames(moves)])
    sat = run.photos[0]
    flows = [sat.sitter.between(sat.scene, sat.sitter.scene(moves[k])) for k in range(FRAMES)]
    mesh = torch.cat([warped(sat.photo, one.prior.flow.permute(0, 3, 1, 2)) for one in flows])
    return {
        "wanted": [moves[k] for k in range(FRAMES)],
        "photo": shown(sat.photo).expand(FRAMES, -1, -1, -1),
        "moved by the mesh": shown(mesh),
        "rerender": redrawn(run, photo, moves),
        "network": made,
    }


def redrawn(run, photo, moves) -> torch.Tensor:
    """Frames that `rerender` draws, in the generator's crop."""
    stage = Rerenderer(photo.faces[0], photo.photo, quick=True)
    return torch.stack([run.target.crop.apply(stage(moves[k])) for k in range(FRAMES)])


def photo_rows(cache, generator):
    """A row for each method, the mean over photos; a sheet of all."""
    kinds: dict[str, list[dict]] = {}
    strips = []
    for made in moved_photos(cache, generator).values():
        wanted = [made["wanted"][k] for k in spread(FRAMES)]
        for method, pictures in made.items():
            if method != "wanted":
                kinds.setdefault(method, []).append(people_of(pictures, wanted, made["photo"]))
                strips.append(pictures.permute(1, 0, 2, 3).flatten(1, 2))
    if strips:
        write_image(cache / "sheet_photos.png", torch.cat(strips).clamp(0, 1))
    for method, each in kinds.items():
        yield {"test": "photos", "photos": len(each), "method": method, **_means(each)}


def _means(each: list[dict]) -> dict:
    known = {key: [one[key] for one in each if one.get(key) is not None] for key in each[0]}
    return {key: round(sum(v) / len(v), 3) if v else None for key, v in known.items()}

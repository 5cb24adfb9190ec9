"""What does the distance of features that installs by pip go along with?

    python -m benchmarks.bench_perceptual [--people N]

Pictures of synthetic people, a photo each, are spoilt in eight ways and five degrees: blurred,
noisy, coded as JPEG, shifted by fractions of a pixel to several, bent, in another exposure, in
another white balance, and with hidden patches. Told are, for Lite0-distance, L1, 1 - SSIM and
-PSNR: how well each orders the degrees of one way (Spearman's rank correlation, mean over pictures
and ways), and how each goes along with the others over all of them. LPIPS is added where its
weights are on this machine; no person has judged these pictures, so that nothing here says which
measure is right: only what they agree on.
"""

import argparse
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.stats import spearmanr
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from benchmarks.common import report, seed
from morphface.core.errors import MissingFileError
from morphface.evaluate import FeatureDistance, Lpips, l1, psnr, ssim
from morphface.render import warp_by_flow
from morphface.synthetic import SyntheticPeople

SIZE = 128
DEGREES = range(5)


def blurred(picture: Tensor, degree: int) -> Tensor:
    """By boxes of 3 to 11 pixels."""
    reach = degree + 1
    planes = picture.permute(2, 0, 1)[None]
    near = avg_pool2d(planes, 2 * reach + 1, 1, reach, count_include_pad=False)
    return near[0].permute(1, 2, 0)


def noisy(picture: Tensor, degree: int) -> Tensor:
    """Standard deviations from 0.01 to 0.16."""
    rng = torch.Generator().manual_seed(degree)
    return picture + 0.01 * 2**degree * torch.randn(picture.shape, generator=rng)


def coded(picture: Tensor, degree: int) -> Tensor:
    """JPEG of quality 80 to 5."""
    stream = io.BytesIO()
    values = (picture.clamp(0, 1) * 255).byte().numpy()
    Image.fromarray(values).save(stream, "JPEG", quality=(80, 50, 25, 12, 5)[degree])
    return torch.from_numpy(np.array(Image.open(stream))).float() / 255


def shifted(picture: Tensor, degree: int) -> Tensor:
    """By half a pixel to eight."""
    flow = torch.full((1, SIZE, SIZE, 2), 0.5 * 2**degree)
    return warp_by_flow(picture[None], flow)[0]


def bent(picture: Tensor, degree: int) -> Tensor:
    """By a smooth field of half a pixel to eight."""
    rng = torch.Generator().manual_seed(degree)
    coarse = 0.5 * 2**degree * torch.randn(1, 2, 5, 5, generator=rng)
    flow = interpolate(coarse, (SIZE, SIZE), mode="bicubic").permute(0, 2, 3, 1)
    return warp_by_flow(picture[None], flow)[0]


def exposed(picture: Tensor, degree: int) -> Tensor:
    """Darker by 5 to 50 %."""
    return picture * (0.95, 0.9, 0.8, 0.65, 0.5)[degree]


def tinted(picture: Tensor, degree: int) -> Tensor:
    """Warmer."""
    gain = 0.02 * 2**degree
    return picture * torch.tensor([1 + gain, 1.0, 1 - gain])


def hidden(picture: Tensor, degree: int) -> Tensor:
    """With grey patches of 4 to 64 pixels."""
    out, side = picture.clone(), 4 << degree
    at = (SIZE - side) // 2
    out[at : at + side, at : at + side] = 0.5
    return out


WAYS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "blur": blurred,
    "noise": noisy,
    "jpeg": coded,
    "shift": shifted,
    "bend": bent,
    "exposure": exposed,
    "white balance": tinted,
    "patch": hidden,
}


def main() -> None:
    """Run, print, write the results."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--people", type=int, default=16)
    chosen = options.parse_args()
    seed()
    torch.set_num_threads(1)
    report("perceptual", cases_of(chosen.people))


def cases_of(people: int) -> list[dict[str, Any]]:
    """All tables."""
    source = SyntheticPeople(2000, SIZE, frames=2)
    measures = measures_here()
    values: dict[str, list[list[list[float]]]] = {name: [] for name in measures}
    for who in range(people):
        photo = source.scene(who).shots[0].image
        rows = [[way(photo, d).clamp(0, 1) for d in DEGREES] for way in WAYS.values()]
        spoilt = torch.stack([picture for row in rows for picture in row])
        same = photo.expand_as(spoilt)
        for name, measure in measures.items():
            values[name].append(measure(spoilt, same).view(len(WAYS), len(DEGREES)).tolist())
    return [*_order(values, people), *_agreement(values)]


def measures_here() -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """By name; larger is worse in all."""
    found: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "Lite0-distance": FeatureDistance.load(),
        "L1": l1,
        "1 - SSIM": lambda a, b: 1 - ssim(a, b),
        "-PSNR": lambda a, b: -psnr(a, b),
    }
    try:
        found["LPIPS"] = Lpips.load()
    except MissingFileError:
        print("LPIPS is left out: its weights are not on this machine")
    return found


def _order(values: dict[str, Any], people: int) -> list[dict[str, Any]]:
    cases = []
    for name, table in values.items():
        case: dict[str, Any] = {"case": f"order of degrees, {name}", "people": people}
        for number, way in enumerate(WAYS):
            ranks = [spearmanr(list(DEGREES), row[number]).statistic for row in table]
            case[way] = round(float(np.mean(ranks)), 3)
        case["mean"] = round(float(np.mean([case[way] for way in WAYS])), 3)
        cases.append(case)
    return cases


def _agreement(values: dict[str, Any]) -> list[dict[str, Any]]:
    flat = {name: np.array(table).ravel() for name, table in values.items()}
    return [
        {"case": f"rank correlation over all, {name}"}
        | {other: round(float(spearmanr(flat[name], flat[other]).statistic), 3) for other in flat}
        for name in flat
    ]


if __name__ == "__main__":
    main()

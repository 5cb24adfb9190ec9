"""What CoNR reads off photos of people held out: where on the head each of their pixels is."""

import torch

from morphface.generate.networks.codes import shows_mesh
from morphface.generate.training.one_shot import code_of


def code_row(generator, takes: list) -> dict:
    """Mean errors of codes, of 255, on the mesh and on hair and clothes; of alpha everywhere.

    Beside them the mean code of each photo, which says nothing of its pixels.

    Args:
        generator: of CoNR, in `eval` mode.
        takes: whose photos are read.
    """
    sums: dict[str, list[torch.Tensor]] = {}
    for take in takes:
        photo = take.references[0]
        true = code_of(photo)
        on_mesh = shows_mesh(photo.maps)
        beyond = (photo.matte > 0.5) & ~on_mesh
        with torch.no_grad():
            read = generator.code_of(photo)
        for name, where in (("on the mesh", on_mesh), ("on hair and clothes", beyond)):
            if not bool(where.any()):
                continue
            mean = (true[:, :3] * where).sum((2, 3), keepdim=True) / where.sum()
            for what, code in (("", read[:, :3]), (", mean code", mean)):
                away = (code - true[:, :3]).abs().mean(1, keepdim=True)
                sums.setdefault(name + what, []).append(away[where].mean())
        sums.setdefault("alpha", []).append((read[:, 3:] - photo.matte).abs().mean())
    facts = {name: round(255 * float(torch.stack(each).mean()), 2) for name, each in sums.items()}
    title = "codes read off people held out"
    return {"test": title, "method": "conr", "frames": len(takes)} | facts

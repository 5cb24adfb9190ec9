"""A head with a known relief, photographed under known harmonic light, and its perfect fit."""

from dataclasses import replace

import torch
from torch.nn.functional import normalize

from morphface.fit import PhotometricResult
from morphface.fit.detail.grid import Grid
from morphface.fit.fitted import FittedFace
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.media.images import Photo
from morphface.render import Detail, interpolate, rasterize
from morphface.render.detail import detailed_normals

SIZE, WAVE = 256, 24.0  # texels a side, and texels of a wave


def waves(model, height=0.15):
    """Ripples across the face, in millimetres, with the normals that they have."""
    grid = Grid.of(model, SIZE)
    ground = grid.ground(model, model.identity.mean)
    rows, columns = torch.nonzero(grid.mask).float().unbind(1)
    phase = 2 * torch.pi / WAVE * torch.stack([columns, rows], dim=-1)
    displacement = height * phase.sin().sum(-1)
    slopes = height * 2 * torch.pi / WAVE * phase.cos()
    gradient = (ground.inverse.mT @ slopes[..., None])[..., 0]
    along = ground.tangents[:, :3]
    along = normalize(along - (along * ground.normals).sum(-1, True) * ground.normals, dim=-1)
    up = torch.linalg.cross(ground.normals, along)
    told = torch.stack([-(gradient * along).sum(-1), -(gradient * up).sum(-1)], dim=-1)
    normals = normalize(torch.cat([told, torch.ones(len(told), 1)], dim=-1), dim=-1)
    flat = grid.whole(normals - torch.tensor([0.0, 0.0, 1.0])) + torch.tensor([0.0, 0.0, 1.0])
    return Detail(grid.whole(displacement), flat, torch.zeros(SIZE, SIZE))


def lamp(x, y, z, amount=0.35):
    """Light from a direction, over an even one."""
    out = torch.zeros(9, 3)
    out[1], out[2], out[3] = -amount * y, amount * z, -amount * x
    return out


def photographed(known, light, detail, paint=None, *, yaw=0.0, bump=None, camera=None):
    """The head of `known` without an open mouth, its relief and its paint under a light.

    It is turned by `yaw` radians, and a `bump` in millimetres, which its fit lacks, is on it.
    """
    face = known.faces[0]
    parameters = replace(
        face.parameters,
        illumination=light[None],
        expression=torch.zeros_like(face.parameters.expression),
        rotation=torch.tensor([[0.0, yaw, 0.0]]),
    )
    model, camera = face.model, camera or face.camera
    fit = replace(face.fit, parameters=parameters, camera=camera)
    posed = FittedFace(fit, model, {}).vertices_in_camera()[None]
    if bump is not None:
        posed = posed + bump[:, None] * vertex_normals(posed[0], model.faces)
    found = rasterize(camera.project(posed), model.faces, camera.size)
    plain = normalize(interpolate(vertex_normals(posed, model.faces), model.faces, found), dim=-1)
    normals = plain if detail is None else detailed_normals(model, detail, posed, plain, found)
    colours = torch.full((model.size, 3), 0.5) if paint is None else paint
    albedo = interpolate(colours[None], model.faces, found)[0]
    shown = albedo * irradiance(light, normals.flatten(1, 2))[0].unflatten(0, camera.size)
    shown = shown * found.mask[0][..., None]
    seen = PhotometricResult(
        parameters=parameters,
        cameras=(camera,),
        landmarks=(fit.landmarks,),
        predicted=(fit.predicted,),
        landmark_nme=(0.0,),
        photometric_rmse=(0.0,),
        energies={},
        history=(),
        albedo=colours,
        iterations=0,
        occlusion=(torch.zeros(camera.size),),
        gain=torch.ones(1, 3),
        grey=(False,),
        converged=True,
        reason="",
    )
    return FittedFace(fit, model, {}, seen), Photo(shown)


def in_the_middle(model, size=SIZE):
    """Texels of the cheeks and the forehead, as a mask."""
    grid = Grid.of(model, size)
    skin = model.regions["face"] * model.regions["cheeks"]
    return grid.whole((grid.at(skin[:, None], model)[:, 0] > 0.5).float()) > 0


def correlation(a, b):
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])

"""One object from a mesh in front of a camera to pictures of it, differentiable end to end.

`EXAMPLES.md` beside this file shows how to recover colours, a pose and an outline by gradient
descent.
"""

from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.geometry.topology import Topology
from morphface.models import MorphableModel
from morphface.render.antialias import antialias
from morphface.render.derivatives import screen_derivatives
from morphface.render.fine_colours import FineColours
from morphface.render.interpolate import interpolate
from morphface.render.paint import paint
from morphface.render.rasterize import Fragments, rasterize
from morphface.render.shade import CLAY, shade_pixels, shade_plain, shade_sh
from morphface.render.texture import Texture, sample_texture

__all__ = ["Rendered", "Renderer"]


@dataclass(frozen=True, eq=False)
class Renderer(Record):
    """Draws meshes of one topology for one camera.

    Hold it while vertices, colours and light change; `replace` gives it another camera.

    Args:
        faces: vertex indices, counter-clockwise seen from outside.
        camera: what sees them.
        uv: texture coordinates, (0, 0) at the lower left.
        uv_faces: for each face, where in `uv` its corners are; None if they are the vertices.
        backend: as in `rasterize`.
        antialias: whether outlines are blended, which gives them a gradient.
        linear_light: as in `shade_sh`.
        topology: of the faces; None computes it, once.

    Raises:
        ShapeError: an argument lacks the axes above.
    """

    faces: Int[Tensor, "F 3"]
    camera: Camera
    _: KW_ONLY
    uv: Float[Tensor, "U 2"] | None = None
    uv_faces: Int[Tensor, "F 3"] | None = None
    backend: str = "auto"
    antialias: bool = True
    linear_light: bool = False
    topology: Topology | None = None

    def __post_init__(self) -> None:
        check_shape("faces", self.faces, None, 3)
        if self.uv is not None:
            check_shape("uv", self.uv, None, 2)
        if self.uv_faces is not None:
            check_shape("uv_faces", self.uv_faces, *self.faces.shape)
        if self.topology is None and self.antialias:
            object.__setattr__(self, "topology", Topology.of(self.faces))

    @classmethod
    def of(cls, model: MorphableModel, camera: Camera, **options: Any) -> "Renderer":
        """A renderer for the faces and the texture coordinates of `model`.

        Args:
            model: whose meshes will be drawn.
            camera: what sees them.
            options: any other field.
        """
        return cls(model.faces, camera, uv=model.uv, uv_faces=model.uv_faces, **options)

    def replace(self, **changes: Any) -> "Renderer":
        """A copy with other fields; the topology is kept unless `faces` changes."""
        if "faces" in changes:
            changes = {"topology": None, **changes}
        return replace(self, **changes)

    def __call__(
        self,
        vertices: Float[Tensor, "B V 3"],
        *,
        colours: Float[Tensor, "#B V C"] | FineColours | None = None,
        texture: Float[Tensor, "#B S T C"] | Texture | None = None,
        illumination: Float[Tensor, "#B 9 3"] | None = None,
    ) -> "Rendered":
        """Pictures of a mesh, with gradients to all arguments.

        Without colours and texture the surface is grey clay, under a lamp if there is no light.

        Args:
            vertices: positions in the camera frame.
            colours: for each vertex; any number of channels where there is no light. Finer ones
                are lit pixel by pixel.
            texture: a picture that is looked up as it is, or a `Texture`, whose levels serve
                surfaces that are seen from afar.
            illumination: coefficients that multiply the colours; None shows them as they are.

        Raises:
            ShapeError: an argument lacks the axes above.
            ParameterError: both colours and a texture are given, or a texture without
                coordinates.
        """
        check_shape("vertices", vertices, None, None, 3)
        if texture is not None and (colours is not None or self.uv is None):
            instead = "colours are given too" if colours is not None else "there is no uv"
            raise ParameterError(f"texture cannot be drawn: {instead}")
        perspective = self.camera.weak_depth is None
        screen = self.camera.project(vertices)
        if isinstance(colours, FineColours):
            image, fragments = self._by_pixel(screen, vertices, colours, illumination)
        elif texture is not None:
            image, fragments = self._by_pixel(screen, vertices, texture, illumination)
        else:
            image, fragments = paint(
                self._vertex_colours(vertices, colours, illumination),
                screen,
                self.faces,
                self.camera.size,
                topology=self.topology,
                backend=self.backend,
                perspective=perspective,
                smooth=self.antialias,
                covered=True,
            )
        return Rendered(image[..., :-1], image[..., -1], fragments, vertices, self)

    def _by_pixel(
        self,
        screen: Tensor,
        vertices: Tensor,
        look: FineColours | Tensor | Texture,
        illumination: Tensor | None,
    ) -> tuple[Tensor, Fragments]:
        """Colours that pixels look up; the last channel is the mask."""
        size, perspective = self.camera.size, self.camera.weak_depth is None
        fragments = rasterize(
            screen, self.faces, size, backend=self.backend, perspective=perspective
        )
        if isinstance(look, FineColours):
            albedo = look.at(fragments)
        else:
            albedo = self._textured(screen, fragments, look)
        colour = self._lit(albedo, vertices, fragments, illumination)
        image = torch.cat([colour, fragments.mask[..., None].to(colour.dtype)], dim=-1)
        if self.antialias:
            mesh, topology = (screen, self.faces, fragments), self.topology
            image = antialias(image, *mesh, topology=topology, perspective=perspective)
        return image, fragments

    def _vertex_colours(
        self, vertices: Tensor, colours: Tensor | None, illumination: Tensor | None
    ) -> Tensor:
        if colours is not None and illumination is None:
            return colours
        normals = vertex_normals(vertices, self.faces)
        if illumination is None:
            return shade_plain(normals)
        if colours is None:
            colours = vertices.new_tensor(CLAY).expand_as(vertices)
        return shade_sh(colours, normals, illumination, linear_light=self.linear_light)

    def _textured(self, screen: Tensor, fragments: Fragments, texture: Tensor | Texture) -> Tensor:
        derivatives = None
        if isinstance(texture, Texture):
            perspective = self.camera.weak_depth is None
            derivatives = screen_derivatives(
                *self._layout(), screen, self.faces, fragments, perspective=perspective
            )
        uv = interpolate(*self._layout(), fragments)
        return sample_texture(texture, uv, derivatives=derivatives, mask=fragments.mask)

    def _lit(
        self,
        albedo: Tensor,
        vertices: Tensor,
        fragments: Fragments,
        illumination: Tensor | None,
    ) -> Tensor:
        """Pixels under a light."""
        if illumination is None:
            return albedo
        normals = interpolate(vertex_normals(vertices, self.faces), self.faces, fragments)
        return shade_pixels(albedo, normals, illumination, linear_light=self.linear_light)

    def _layout(self) -> tuple[Tensor, Tensor]:
        if self.uv is None:
            raise ParameterError("there are no texture coordinates; pass uv to Renderer")
        return self.uv[None], self.faces if self.uv_faces is None else self.uv_faces


@dataclass(frozen=True, eq=False)
class Rendered(Record):
    """What a camera sees of a mesh; `depth`, `normals` and `uv` are made when they are read.

    Args:
        colour: times `mask`, so black on background.
        mask: how much of each pixel the mesh covers, 0 to 1.
        fragments: which face is seen at each pixel's centre, and where on it.
        vertices: that were drawn.
        renderer: that drew them.
    """

    colour: Float[Tensor, "B H W C"]
    mask: Float[Tensor, "B H W"]
    fragments: Fragments
    vertices: Float[Tensor, "B V 3"]
    renderer: Renderer

    @property
    def depth(self) -> Float[Tensor, "B H W"]:
        """Along the optical axis, at pixel centres, in millimetres; infinite on background."""
        return self.fragments.depth

    @cached_property
    def normals(self) -> Float[Tensor, "B H W 3"]:
        """Unit vectors in the camera frame, at pixel centres; zero on background."""
        faces = self.renderer.faces
        return normalized(interpolate(vertex_normals(self.vertices, faces), faces, self.fragments))

    @cached_property
    def uv(self) -> Float[Tensor, "B H W 2"]:
        """Texture coordinates at pixel centres; zero on background.

        Raises:
            ParameterError: the renderer has none.
        """
        return interpolate(*self.renderer._layout(), self.fragments)

    def over(
        self, background: Float[Tensor, "*#BHW C"], opacity: float = 1.0
    ) -> Float[Tensor, "B H W C"]:
        """The mesh in front of a picture, or of one colour.

        Args:
            background: pictures of the same size, or anything that broadcasts to them.
            opacity: of the mesh.
        """
        return background * (1 - opacity * self.mask[..., None]) + opacity * self.colour

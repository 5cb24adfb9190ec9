"""Models with joints: linear blend skinning behind the interface of a linear model.

A joint's rotation is three named, bounded expression coefficients in radians: pitch, yaw and
roll, the components of one rotation vector, so that each alone is an angle about its axis. The
signs are those of the package: pitch up, yaw to the subject's left, and roll towards the
subject's right shoulder are positive. The eyeballs' joints turn with `gaze`. The root does not
turn: that is the pose of the head.

After SMPL (Loper et al. 2015, equations 2 to 10) and FLAME (Li et al. 2017).
"""

from dataclasses import dataclass, field, fields, replace

import numpy as np
import roma
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ModelError, ShapeError
from morphface.core.records import Record
from morphface.models.basis import LinearBasis
from morphface.models.morphable import Eye, MorphableModel, gaze_rotation

__all__ = ["ArticulatedModel", "Rig"]

_CHUNK = 32


@dataclass(frozen=True, eq=False)
class Rig(Record):
    """Joints that turn parts of a face.

    Args:
        parents: of each joint, which come before it; -1 for the first one, the root.
        joints: where they are in the mean face, and what each identity coefficient adds.
        moves: what each linear expression coefficient adds to the joints.
        weights: share of each joint in each vertex; they sum to 1.
        correctives: what each entry of the joints' rotation matrices less the identity, row by
            row and without the root's, adds to the unposed face, in millimetres.
        turned: the joints that expression coefficients turn, three for each.
        eyes: the joints of the left and the right eyeball.
        origin: where the origin of the model frame is in that of the model's file, in millimetres
            and the axes of the package; None if it is not known.
    """

    parents: tuple[int, ...]
    joints: LinearBasis
    moves: Float[Tensor, "E J 3"]
    weights: Float[Tensor, "V J"]
    correctives: Float[Tensor, "P V 3"]
    turned: tuple[int, ...]
    eyes: tuple[int, int]
    origin: Float[Tensor, "3"] | None = None

    def __post_init__(self) -> None:
        count = len(self.parents)
        check_shape("rig.joints.mean", self.joints.mean, count, 3)
        check_shape("rig.moves", self.moves, None, count, 3)
        check_shape("rig.weights", self.weights, None, count)
        check_shape("rig.correctives", self.correctives, 9 * (count - 1), len(self.weights), 3)
        if self.parents[:1] != (-1,) or any(
            not -1 < parent < joint for joint, parent in enumerate(self.parents) if joint
        ):
            raise ModelError(f"a joint's parent must come before it, got parents {self.parents}")
        if not all(0 <= joint < count for joint in (*self.turned, *self.eyes)):
            raise ModelError(f"a rig of {count} joints cannot turn {(*self.turned, *self.eyes)}")

    @property
    def linear(self) -> int:
        """How many expression coefficients are linear; those after them are rotations."""
        return len(self.moves)

    @property
    def turns(self) -> int:
        """How many expression coefficients are rotations."""
        return 3 * len(self.turned)

    def places(
        self, identity: Float[Tensor, "*#batch i"], linear: Float[Tensor, "*#batch e"]
    ) -> Float[Tensor, "*batch J 3"]:
        """Where the joints are in the unposed face."""
        moved = (linear @ self.moves[: linear.shape[-1]].flatten(1)).unflatten(-1, (-1, 3))
        return self.joints.instance(identity) + moved

    def rotations(
        self, turns: Float[Tensor, "*#batch t"], gaze: Float[Tensor, "*#batch 2 2"] | None
    ) -> Float[Tensor, "*batch J 3 3"]:
        """Rotation of each joint against its parent."""
        batch = np.broadcast_shapes(turns.shape[:-1], () if gaze is None else gaze.shape[:-2])
        local = list(torch.eye(3).to(turns).expand(len(self.parents), *batch, 3, 3))
        for k, joint in enumerate(self.turned):
            local[joint] = _rotation(turns[..., 3 * k : 3 * k + 3]).expand(*batch, 3, 3)
        if gaze is not None:
            for side, joint in enumerate(self.eyes):
                local[joint] = gaze_rotation(gaze[..., side, :]).to(turns).expand(*batch, 3, 3)
        return torch.stack(local, dim=-3)

    def corrections(self, rotations: Float[Tensor, "*batch J 3 3"]) -> Float[Tensor, "*batch V 3"]:
        """What the rotations add to the unposed face."""
        feature = (rotations[..., 1:, :, :] - torch.eye(3).to(rotations)).flatten(-3)
        return (feature @ self.correctives.flatten(1)).unflatten(-1, (-1, 3))

    def chain(
        self, rotations: Float[Tensor, "*#batch J 3 3"], places: Float[Tensor, "*#batch J 3"]
    ) -> tuple[Float[Tensor, "*#batch J 3 3"], Float[Tensor, "*batch J 3"]]:
        """Rotation of each joint in the model frame, and where it comes to lie."""
        turned, posed = [rotations[..., 0, :, :]], [places[..., 0, :]]
        for joint, parent in enumerate(self.parents[1:], start=1):
            bone = places[..., joint, :] - places[..., parent, :]
            posed.append(posed[parent] + _turn(turned[parent], bone))
            turned.append(turned[parent] @ rotations[..., joint, :, :])
        return torch.stack(turned, dim=-3), torch.stack(posed, dim=-2)

    def skin(
        self,
        rest: Float[Tensor, "*#batch V 3"],
        places: Float[Tensor, "*#batch J 3"],
        rotations: Float[Tensor, "*#batch J 3 3"],
    ) -> Float[Tensor, "*batch V 3"]:
        """The posed face."""
        turned, posed = self.chain(rotations, places)
        shift = posed - _turn(turned, places)
        shape = rest + self.corrections(rotations)
        return _turn(self.blended(turned), shape) + self.weights @ shift

    def blended(self, turned: Float[Tensor, "*batch J 3 3"]) -> Float[Tensor, "*batch V 3 3"]:
        """The mixture of the joints' matrices that moves each vertex."""
        return (self.weights @ turned.flatten(-2)).unflatten(-1, (3, 3))

    def turning(
        self, turns: Float[Tensor, " t"], rest: Float[Tensor, "V 3"], places: Float[Tensor, "J 3"]
    ) -> Float[Tensor, "t V 3"]:
        """What each rotation coefficient adds to the posed face, to first order.

        Args:
            turns: all rotation coefficients.
            rest: the unposed face.
            places: its joints.
        """
        rotations = self.rotations(turns, None)
        slope = torch.zeros(self.turns, *rotations.shape).to(rotations)
        for k, joint in enumerate(self.turned):
            own = slice(3 * k, 3 * k + 3)
            jacobian = torch.autograd.functional.jacobian(_rotation, turns[own])
            slope[own, joint] = jacobian.movedim(-1, 0)
        turned, turning, moving = self._chain_slopes(rotations, slope, places)
        shape = rest + self.corrections(rotations)
        own = (slope[:, 1:].flatten(1) @ self.correctives.flatten(1)).unflatten(-1, (-1, 3))
        out = _turn(self.blended(turning), shape) + _turn(self.blended(turned), own)
        return out + self.weights @ (moving - _turn(turning, places))

    def _chain_slopes(
        self,
        rotations: Float[Tensor, "J 3 3"],
        slopes: Float[Tensor, "T J 3 3"],
        places: Float[Tensor, "J 3"],
    ) -> tuple[Float[Tensor, "J 3 3"], Float[Tensor, "T J 3 3"], Float[Tensor, "T J 3"]]:
        """The matrices of `chain`, and how they and the places change as the rotations do."""
        turned, _ = self.chain(rotations, places)
        turning, moving = [slopes[:, 0]], [torch.zeros_like(slopes[:, 0, 0])]
        for joint, parent in enumerate(self.parents[1:], start=1):
            moving.append(moving[parent] + turning[parent] @ (places[joint] - places[parent]))
            turning.append(turning[parent] @ rotations[joint] + turned[parent] @ slopes[:, joint])
        return turned, torch.stack(turning, dim=1), torch.stack(moving, dim=1)


@dataclass(frozen=True, eq=False)
class ArticulatedModel(MorphableModel):
    """A morphable model whose last expression coefficients turn joints.

    `identity` and `expression` hold the first-order model of the neutral face, so that what
    looks at bases alone sees a plain linear model; `vertices` is exact. The gaze turns the
    eyeballs within a head that the neck may have turned.

    Args:
        rig: joints, and how they move the vertices.
    """

    rig: Rig = field(kw_only=True)

    @classmethod
    def of(cls, model: MorphableModel, rig: Rig) -> "ArticulatedModel":
        """`model`, which is the first order of this one around the neutral face, with joints."""
        return cls(**{f.name: getattr(model, f.name) for f in fields(MorphableModel)}, rig=rig)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shape("rig.weights", self.rig.weights, self.size, None)
        check_shape(
            "rig.joints.directions", self.rig.joints.directions, self.identity.rank, None, 3
        )
        wanted = self.rig.linear + self.rig.turns
        if self.expression.rank != wanted:
            raise ShapeError(f"expression must have rank {wanted}, got {self.expression.rank}")

    def linearised(
        self, identity: Float[Tensor, " i"], expression: Float[Tensor, " e"]
    ) -> MorphableModel:
        """The plain linear model that equals this one to first order around a face.

        Values and derivatives are exact there, with the eyes looking ahead; the eyes' centres
        are those of that face.

        Args:
            identity: coefficients in standard deviations.
            expression: coefficients in standard deviations, then rotations in radians.

        Raises:
            ShapeError: more coefficients than the model has.
        """
        own = self.identity.mean.dtype
        identity = _padded("identity", identity.to(own), self.identity.rank)
        expression = _padded("expression", expression.to(own), self.expression.rank)
        linear, turns = self._parts(expression)
        rest = self.identity.instance(identity) + self.expression.offset(linear)
        places, rotations = self.rig.places(identity, linear), self.rig.rotations(turns, None)
        here = self.rig.skin(rest, places, rotations)
        shapes = self._carried(rotations, self.identity.directions, self.rig.joints.directions)
        moves = self.expression.directions[: self.rig.linear]
        moves = self._carried(rotations, moves, self.rig.moves)
        moves = torch.cat([moves, self.rig.turning(turns, rest, places)])
        neutral = here - (torch.cat([linear, turns]) @ moves.flatten(1)).unflatten(0, (-1, 3))
        mean = neutral - (identity @ shapes.flatten(1)).unflatten(0, (-1, 3))
        plain = {field.name: getattr(self, field.name) for field in fields(MorphableModel)}
        plain["identity"] = LinearBasis(mean, shapes)
        plain["expression"] = replace(self.expression, directions=moves)
        plain["eyes"] = self._eyes(neutral, self.rig.chain(rotations, places)[1])
        return MorphableModel(**plain)

    def restricted(self, vertices: Int[Tensor, " n"]) -> "ArticulatedModel":
        """The model of some vertices alone, which is quicker where no others are looked at.

        It has neither faces nor colours, and eyes and landmarks only where all their vertices
        are among the given ones.
        """
        place = torch.full((self.size,), -1, device=vertices.device)
        place[vertices] = torch.arange(len(vertices), device=vertices.device)
        eyes = [replace(eye, vertices=place[eye.vertices]) for eye in self.eyes or ()]
        whole = len(eyes) == 2 and all((eye.vertices >= 0).all() for eye in eyes)
        landmarks = {n: replace(e, triangles=place[e.triangles]) for n, e in self.landmarks.items()}
        moves = self.expression.directions[:, vertices]
        weights, correctives = self.rig.weights[vertices], self.rig.correctives[:, vertices]
        return ArticulatedModel(
            name=self.name,
            identity=self.identity.map(lambda values: values[..., vertices, :]),
            expression=replace(self.expression, directions=moves),
            faces=self.faces[:0],
            eyes=(eyes[0], eyes[1]) if whole else None,
            landmarks={n: e for n, e in landmarks.items() if (e.triangles >= 0).all()},
            rig=replace(self.rig, weights=weights, correctives=correctives),
        )

    def _shape(self, identity: Tensor, expression: Tensor, gaze: Tensor | None) -> Tensor:
        linear, turns = self._parts(expression)
        rest = self.identity.instance(identity) + self.expression.offset(linear)
        places = self.rig.places(identity, linear)
        return self.rig.skin(rest, places, self.rig.rotations(turns, gaze))

    def _parts(self, expression: Tensor) -> tuple[Tensor, Tensor]:
        """The linear coefficients given, and all rotations; those not given are zero."""
        count, rank = expression.shape[-1], self.expression.rank
        if count > rank:
            raise ShapeError(f"coefficients has {count} entries, but the basis has rank {rank}")
        turns = expression[..., self.rig.linear :]
        missing = self.rig.turns - turns.shape[-1]
        return expression[..., : self.rig.linear], torch.nn.functional.pad(turns, (0, missing))

    def _carried(self, rotations: Tensor, directions: Tensor, joints: Tensor) -> Tensor:
        """Directions of the unposed face and of its joints, as the pose carries them."""
        turned, posed = self.rig.chain(rotations, joints)
        matrix = self.rig.blended(turned)
        out = self.rig.weights @ (posed - _turn(turned, joints))
        for some in range(0, len(directions), _CHUNK):
            chunk = directions[some : some + _CHUNK, :, :, None]
            for axis in range(3):  # six times as fast as a product of small matrices
                out[some : some + _CHUNK] += chunk[:, :, axis] * matrix[:, :, axis]
        return out

    def _eyes(self, neutral: Tensor, posed: Tensor) -> tuple[Eye, Eye] | None:
        """The eyes with centres where the pose brings them, as seen from `neutral`."""
        if self.eyes is None:
            return None
        left, right = (
            replace(eye, centre_offset=posed[joint] - neutral[eye.vertices].mean(dim=0))
            for eye, joint in zip(self.eyes, self.rig.eyes, strict=True)
        )
        return left, right


def _rotation(turn: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """Of (pitch, yaw, roll): +x points to the subject's left, so that pitch up is -x."""
    return roma.rotvec_to_rotmat(turn * turn.new_tensor([-1.0, 1.0, 1.0]))


def _turn(
    matrix: Float[Tensor, "*#batch 3 3"], vectors: Float[Tensor, "*#batch 3"]
) -> Float[Tensor, "*batch 3"]:
    return (matrix @ vectors[..., None])[..., 0]


def _padded(name: str, coefficients: Float[Tensor, " k"], rank: int) -> Float[Tensor, " K"]:
    """One face's coefficients, with zeros for those that are missing."""
    if coefficients.ndim != 1 or len(coefficients) > rank:
        raise ShapeError(
            f"{name} must be the at most {rank} coefficients of one face, "
            f"got shape {tuple(coefficients.shape)}"
        )
    return torch.nn.functional.pad(coefficients, (0, rank - len(coefficients)))

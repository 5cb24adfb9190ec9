"""Parameters to compare: from a file, or found in pictures by our own tracker."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.evaluate import Score, aed_expression, apd_pose, ard, dai, gaze_error, geodesic
from morphface.evaluate.motion import MEASURES, jitter
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel, load_model
from morphface.parameters import LOST, FaceParameters, Track
from morphface.pipelines.actors import KEYS, Actor, follow, read_actor
from morphface.pipelines.evaluate.clips import Clip, counted
from morphface.pipelines.model_landmarks import with_landmarks_for
from morphface.pipelines.photo import Progress
from morphface.render import interpolate, rasterize
from morphface.render.flow import Flow, flow_of_parameters
from morphface.render.maps.scene import posed

__all__ = ["Faces", "find_faces", "read_faces", "score_faces"]


@dataclass(frozen=True, eq=False)
class Faces:
    """Somebody in some frames.

    Args:
        path: where they were found.
        parameters: of all frames.
        camera: that saw them.
        model: that the parameters belong to.
        found: in which frames there is a face.
    """

    path: str
    parameters: FaceParameters
    camera: Camera
    model: MorphableModel
    found: Bool[Tensor, " T"]

    @property
    def frames(self) -> int:
        """How many there are."""
        return self.parameters.frames

    def first(self, count: int) -> "Faces":
        """The first frames."""
        parameters, found = self.parameters[:count], self.found[:count]
        return replace(self, parameters=parameters, found=found)

    def region(self, frame: int) -> Float[Tensor, "1 H W"]:
        """How much of each pixel is the face, zero where it is hidden; zeros if there is none."""
        if not self.found[frame]:
            return torch.zeros(1, *self.camera.size)
        screen = self.camera.project(posed(self.model, self.parameters[frame]))
        perspective = self.camera.weak_depth is None
        seen = rasterize(screen, self.model.faces, self.camera.size, perspective=perspective)
        weights = self.model.regions.get("face", torch.ones(self.model.size))
        return interpolate(weights[None, :, None], self.model.faces, seen)[..., 0]

    def flow(self, frame: int) -> Flow | None:
        """From a frame to the one before; None unless the face is in both."""
        if frame < 1 or not self.found[frame - 1 : frame + 1].all():
            return None
        before, here = self.parameters[frame - 1], self.parameters[frame]
        return flow_of_parameters(self.model, before, here, self.camera)


def read_faces(path: str, model: str | None) -> Faces:
    """The face of a file of parameters.

    Args:
        path: of a `face.npz` or a `track.npz`.
        model: where its model is, if that is not known by its name.

    Raises:
        MorphfaceError: as of `read_actor`.
    """
    return _of_actor(read_actor(path, model))


def find_faces(clip: Clip, model: str, tell: Progress) -> Faces:
    """The face that is largest in pictures, fitted or tracked.

    Args:
        clip: the pictures.
        model: to fit.
        tell: is told what begins now.

    Raises:
        NoFaceError: there is none.
        MorphfaceError: as of `fit_photo` and `fit_video`.
    """
    if clip.alone:
        return _of_actor(read_actor(clip.path, model, progress=tell))
    head = with_landmarks_for(load_model(model), model, ["478", "68"], tell)
    track = follow(
        clip, clip.spread(KEYS), head, lambda w: tell(f"{clip.path}: {w}"), total=clip.frames
    )
    return _of_track(clip.path, track, head)


def score_faces(result: Faces, reference: Faces) -> list[Score]:
    """All measures of parameters; frames in which a face is missing on a side have none.

    Args:
        result: what was found.
        reference: what it should be, in as many frames.

    Raises:
        ParameterError: the models differ, or the number of frames.
    """
    one, other = result.model.name, reference.model.name
    if one != other:
        raise ParameterError(
            f"both must have one model, but {result.path} belongs to {one}, {reference.path} to "
            f"{other}; fit or track one of them again"
        )
    if result.frames != reference.frames:
        raise ParameterError(
            f"{result.path} has {counted(result.frames)}, {reference.path} {reference.frames}; "
            "give --shorter to compare as many frames as both have"
        )
    both = result.found & reference.found
    scores = []
    for measure in (aed_expression, apd_pose, ard, geodesic, gaze_error):
        values = measure(result.parameters, reference.parameters)
        scores.append(measure.of(values.where(both, torch.nan)))
    scores.append(dai.of(dai(result.parameters, reference.parameters)))
    if result.frames >= 3:
        steady = MEASURES["jitter_expression"]
        named = replace(steady, name=f"{steady.name}, reference")
        scores += [steady.of(_shaking(result)), named.of(_shaking(reference))]
    return scores


def _shaking(faces: Faces) -> Float[Tensor, " S"]:
    expression = faces.parameters.expression.where(faces.found[:, None], torch.nan)
    return jitter(expression)


def _of_actor(actor: Actor) -> Faces:
    found = torch.ones(actor.parameters.frames, dtype=torch.bool)
    if actor.track is not None:
        found = actor.track.states != LOST
    return Faces(actor.path, actor.parameters, actor.camera, actor.model, found)


def _of_track(path: str, track: Track, model: MorphableModel) -> Faces:
    return Faces(path, track.parameters, track.camera, model, track.states != LOST)

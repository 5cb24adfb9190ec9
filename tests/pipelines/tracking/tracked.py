"""A tracker that knows beforehand where everybody is, for tests of what is made of a track."""

import math

import torch

from morphface.fit.video import Person, TrackedFace, TrackedFrame
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.camera import Camera
from morphface.models import load_model
from morphface.parameters import LOST, TRACKED, FaceParameters, Reason
from tests.media.video.clips import pictures, write_clip

SIZE = (96, 128)
STEP = 0.04
FOCAL = 250.0


def clip(folder, count=12, name="clip.mp4", **options):
    """Noise, with sound: what is in the pictures does not matter to a tracker that knows."""
    return write_clip(folder / name, pictures(count, SIZE), sound=count * STEP, **options)


def parameters(yaw=0.0, gaze=(0.0, 0.0), blink=0.0, x=0.0):
    """One frame of the neutral open head, 90 cm away."""
    model = load_model("open-head")
    face = FaceParameters.neutral()
    vector = face.to_vector()
    vector[0, :3] = angles_to_rotvec(torch.tensor([yaw, 0.0, 0.0]))
    vector[0, 3:6] = torch.tensor([x, 0.0, -900.0])
    face = FaceParameters.from_vector(vector, identity=80, expression=52, reflectance=80)
    for side in ("Left", "Right"):
        face.expression[0, model.expression.names.index(f"eyeBlink{side}")] = blink
    face.gaze[0] = torch.tensor(gaze)
    return face


def camera():
    return Camera.facing(SIZE, focal=FOCAL)


def person(number=0, rmse=0.0):
    face = parameters()
    return Person(
        number=number,
        identity=face.identity,
        reflectance=face.reflectance,
        camera=camera(),
        model=load_model("open-head"),
        illumination=face.illumination[0],
        gain=torch.ones(3),
        grey=False,
        rmse=rmse,
        nme=0.01,
        frames=(0,),
        converged=True,
        reason="",
    )


def tracker(people=1, states=None, each=lambda done: None, shake=0.0, rmse=0.0):
    """Stands for `fit_video`: turns heads to and fro.

    Args:
        people: how many there are.
        states: of each frame; all are tracked by default.
        rmse: difference of colours; 0 where pixels were not asked.
        shake: by how much more the head is turned in every other frame.
        each: is called before each frame with the number of those done.
    """

    def fit_video(frames, model, *, key_frames=None, settings=None, progress=None):
        cast = [person(number, rmse) for number in range(people)]
        for done, frame in enumerate(frames):
            each(done)
            state = TRACKED if states is None else states[done]
            box = (math.nan,) * 4 if state == LOST else (40.0, 20.0, 80.0 + done, 70.0)
            yaw = 0.3 * math.sin(done / 3) + shake * (done % 2)
            faces = tuple(
                TrackedFace(
                    one,
                    state,
                    parameters(yaw=yaw, x=60.0 * one.number),
                    box,
                    landmark_nme=math.nan if state == LOST else 0.02,
                    photometric_rmse=math.nan if state == LOST else rmse,
                    reason=Reason.NO_FACE if state == LOST else Reason.NOTHING,
                )
                for one in cast
            )
            yield TrackedFrame(frame, faces, 0, {"detect": 0.01, "fit": 0.02})

    return fit_video

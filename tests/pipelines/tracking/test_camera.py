"""A calibrated camera of a video: frames without distortion, its principal point in all fits."""

import torch

from morphface.fit.video import VideoSettings
from morphface.fit.video.keys import candidate_of
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.intrinsics import Intrinsics
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import box_of
from morphface.media.photo import Photo
from morphface.media.undistort import undistorted
from morphface.media.video import Frame, read_video
from morphface.models import load_model
from morphface.pipelines.tracking.track import _with_lens
from tests.media.video.clips import SIZE, pictures, write_clip

TEXT = "60,60,20,15,-0.2,0.05,0,0,0"


def test_every_frame_loses_its_distortion_once(tmp_path):
    path = write_clip(tmp_path / "a.mkv", pictures(4))
    with read_video(path) as video:
        plain = list(video)
    with read_video(path) as video:
        settings = _with_lens(VideoSettings(), video, TEXT, "a.mkv")
        found = [*video, *video.spread(2)]
    lens = Intrinsics.parse(TEXT)
    for frame in found:
        want = undistorted(plain[frame.index].photo, lens)
        assert torch.equal(frame.photo.pixels, want.pixels)
    assert settings.camera.size == SIZE
    assert settings.camera.principal.tolist() == [20, 15]


def test_key_frames_are_fitted_with_the_principal_point():
    model, place = load_model(), torch.tensor([300.0, 0.0, -800.0])
    camera = Camera(torch.tensor(800.0), torch.tensor([-100.0, 150.0]), (300, 400))
    head = model.landmark_embedding("478").points(model.identity.mean)
    points = camera.project(to_camera(head, torch.zeros(3), place))[:, :2]
    face = Landmarks(points, "478", torch.ones(478), box_of(points))
    frame = Frame(Photo(torch.zeros(300, 400, 3)), 0, 0.0)
    found = candidate_of(model, frame, face, None, camera).fit
    assert found.parameters.rotation.abs().max() < 0.01
    assert torch.equal(found.camera.principal, camera.principal)

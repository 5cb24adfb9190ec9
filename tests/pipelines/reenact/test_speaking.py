"""A trained run speaks: its frames, and the sound of the speech."""

import torch

from morphface.geometry.camera import Camera
from morphface.media import read_sound, read_video, write_sound
from morphface.parameters import FaceParameters, save_parameters
from morphface.pipelines.speak import Script, Showing, speak_files
from morphface.speech import Phoneme, save_phonemes
from tests.speech.sounds import silence, tone


def test_a_run_speaks_with_the_sound(run, tmp_path):
    write_sound(tmp_path / "said.wav", torch.cat([silence(0.1), tone(0.3)]))
    save_phonemes(tmp_path / "said.txt", [Phoneme("m", 0.1, 0.2), Phoneme("ɑ", 0.2, 0.4)])
    face = tmp_path / "face.npz"
    save_parameters(face, FaceParameters.neutral(), Camera.facing((120, 160)), model="open-head")
    report = speak_files(
        face,
        tmp_path / "said.wav",
        tmp_path / "out.mp4",
        script=Script(phonemes=tmp_path / "said.txt"),
        showing=Showing(rate=10.0, generator=run),
    )
    assert f"whom {run} was trained on, not {face}" in report["warnings"][0]
    assert report["run"]["sound"].endswith("said.wav")
    with read_video(tmp_path / "out.mp4") as video:
        assert len(list(video)) == report["frames"] == 4
    heard = read_sound(tmp_path / "out.mp4")
    assert heard[:1500].abs().max() < 0.05 < heard[2500:5000].abs().max()

import json
import os
import signal
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from morphface.cli import run
from morphface.landmarks import read_landmarks
from morphface.landmarks.schemes import to_scheme
from morphface.media import read_image
from morphface.pipelines import photo as photo_pipeline
from tests.data import needs_detector, shared
from tests.pipelines.family import album_of

FAST = ["--stage", "linear", "--texture-size", "64"]
FILES = ["face.npz", "head.glb", "head.mtl", "head.obj", "head.png", "overlay.png", "report.json"]


def names(folder):
    return sorted(item.name for item in folder.iterdir())


def refusal(capfd, code):
    """The one sentence on standard error."""
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert code == 2
    return err[len("error: ") : -1]


def png_header(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


def noise(folder):
    path = folder / "noise.jpg"
    values = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    Image.fromarray(values).save(path)
    return path


BAD = {
    "text.jpg": b"this is not a picture",
    "empty.jpg": b"",
    "bomb.png": png_header(20000, 20000),
}


@pytest.fixture
def bad(tmp_path):
    """Makes one bad input by name."""

    def make(name):
        path = tmp_path / name
        if name in BAD:
            path.write_bytes(BAD[name])
        elif name == "truncated.jpg":
            path.write_bytes(noise(tmp_path).read_bytes()[:4000])
        elif name == "tiny.png":
            Image.new("RGB", (1, 1)).save(path)
        elif name == "folder":
            path.mkdir()
        return path

    return make


@pytest.mark.refusal
@pytest.mark.parametrize("name", [*BAD, "truncated.jpg", "tiny.png", "folder", "missing.jpg"])
def test_a_bad_picture_gets_one_sentence_and_no_files(bad, tmp_path, capfd, name):
    out = tmp_path / "out"
    message = refusal(capfd, run(["fit", str(bad(name)), "--out", str(out)]))
    assert name in message
    assert not out.exists()


@pytest.mark.refusal
def test_a_picture_without_a_face_gets_one_sentence(tmp_path, capfd):
    needs_detector()
    code = run(["fit", str(noise(tmp_path)), "--out", str(tmp_path / "out")])
    assert "no face was found" in refusal(capfd, code)
    assert names(tmp_path) == ["noise.jpg"]


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--device", "cuda:99"], "cuda:99"),
        (["--device", "abacus"], "there is no device 'abacus'"),
        (["--model", "nobody"], "no model is called 'nobody'"),
        (["--model", "nowhere.npz"], "nowhere.npz"),
        (["--focal", "-3"], "focal must be 0.2 to 50 times the picture's longer side in pixels"),
        (["--focal", "wide"], "or a 35-mm equivalent in that range, as 50mm, got 'wide'"),
        (["--focal", "9mmm"], "got '9mmm'"),
        (["--focal", "1e12"], "here 102.4 to 25600 pixels"),
        (["--landmarks", "nowhere.pts"], "nowhere.pts"),
    ],
)
def test_a_bad_option_gets_one_sentence(tmp_path, capfd, options, message):
    needs_detector()
    out = tmp_path / "out"
    code = run(["fit", "sample:astronaut", "--out", str(out), *options])
    assert message in refusal(capfd, code)
    assert not out.exists()


@pytest.mark.refusal
@pytest.mark.parametrize("faces", ["5", "-1", "everyone"])
def test_a_wrong_choice_of_faces_gets_one_sentence(tmp_path, capfd, faces):
    needs_detector()
    code = run(["fit", "sample:astronaut", "--out", str(tmp_path / "out"), f"--faces={faces}"])
    refusal(capfd, code)
    assert names(tmp_path) == []


@pytest.mark.refusal
def test_an_unwritable_folder_gets_one_sentence(tmp_path, capfd):
    (tmp_path / "file").touch()
    code = run(["fit", "sample:astronaut", "--out", str(tmp_path / "file" / "out")])
    assert "a part of the path is a file, not a folder" in refusal(capfd, code)


@pytest.mark.refusal
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_write_protected_folder_gets_one_sentence(tmp_path, capfd):
    tmp_path.chmod(0o555)
    code = run(["fit", "sample:astronaut", "--out", str(tmp_path)])
    assert "it is write-protected" in refusal(capfd, code)


@pytest.mark.refusal
@pytest.mark.parametrize("arguments", [["nonsense"], ["fit"], ["fit", "a.jpg", "--nonsense"]])
def test_a_wrong_command_line_gets_one_sentence(capfd, arguments):
    name = " fit" if arguments[0] == "fit" else ""
    assert refusal(capfd, run(arguments)).endswith(f"; see morphface{name} --help")


def test_quiet_means_silence(tmp_path, capfd):
    assert run(["fit", str(tmp_path / "missing.jpg"), "--quiet"]) == 2
    assert capfd.readouterr() == ("", "")


def test_a_verdict_is_told_in_words(tmp_path, capfd, monkeypatch):
    pose = {"yaw": 1.0, "pitch": -2.0, "roll": 0.5}
    words = {"name": "cut", "value": 0.4, "words": "40% of the face is outside the picture"}
    bad = {"converged": False, "reason": words["words"], "quality": 0.1, "warnings": [words]}
    good = {"converged": True, "reason": "", "quality": 0.874, "warnings": []}
    faces = [{"landmark_nme": 0.02, "pose_degrees": pose} | one for one in (good, bad)]
    monkeypatch.setattr("morphface.pipelines.reconstruct", lambda *_, **__: {"faces": faces})
    assert run(["fit", "sample:astronaut", "-o", str(tmp_path)]) == 0
    start = "landmark error 2.0 % of the eye distance; yaw +1.0, pitch -2.0, roll +0.5 degrees"
    assert capfd.readouterr().err.replace("\n", " ").strip() == (
        f"face 0: {start}; 87% of fits like it are right face 1: {start} "
        "face 1 may not be trusted: 40% of the face is outside the picture "
        f"written to {tmp_path}/"
    )


def explode(error):
    def raising(*_, **__):
        raise error

    return raising


def test_our_own_mistakes_are_one_sentence_and_code_1(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("morphface.pipelines.reconstruct", explode(RuntimeError("a\nb")))
    assert run(["fit", "sample:astronaut"]) == 1
    err = capfd.readouterr().err
    assert err == "error: unexpected RuntimeError: a b; run with --debug for the traceback\n"
    with pytest.raises(RuntimeError):
        run(["fit", "sample:astronaut", "--debug"])


def test_an_interruption_is_one_line_and_code_130(capfd, monkeypatch):
    monkeypatch.setattr("morphface.pipelines.reconstruct", explode(KeyboardInterrupt()))
    assert run(["fit", "sample:astronaut"]) == 130
    assert capfd.readouterr().err == "error: interrupted; nothing was written\n"


def test_an_interruption_that_an_import_swallowed_is_one_too(capfd, monkeypatch):
    code = (
        "import os, signal, sys, time, morphface.pipelines\n"
        "def broken(*_, **__):\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(30)\n"
        "    except KeyboardInterrupt:\n"
        "        raise RecursionError('deep') from None\n"
        "morphface.pipelines.reconstruct = broken\n"
        "sys.argv = ['morphface', 'fit', 'sample:astronaut']\n"
        "from morphface.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "error: interrupted; nothing was written\n"


def test_the_sample_is_fitted_and_summarised(tmp_path, capfd, monkeypatch):
    needs_detector()
    monkeypatch.chdir(tmp_path)
    assert run(["fit", "sample:astronaut"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith("face 0: landmark error ")
    assert err.splitlines()[1:] == ["written to astronaut-face/"]
    assert names(tmp_path / "astronaut-face") == FILES


def test_a_run_in_quiet_says_nothing(tmp_path, capfd):
    needs_detector()
    photo = str(shared("photos", "glasses_frontal.jpg"))
    assert run(["fit", photo, "--out", str(tmp_path), "--faces", "0", "--quiet", *FAST]) == 0
    assert capfd.readouterr() == ("", "")
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["faces"][0]["landmark_nme"] <= 0.035


@pytest.mark.parametrize("kind", ["grey", "rgba", "16-bit", "cmyk", "exif", "palette"])
def test_every_kind_of_picture_works(tmp_path, kind):
    needs_detector()
    path = odd_picture(tmp_path, kind)
    assert run(["fit", str(path), "--out", str(tmp_path / "out"), "--quiet", *FAST]) == 0
    face = json.loads((tmp_path / "out" / "report.json").read_text())["faces"][0]
    assert face["landmark_nme"] <= 0.035
    assert abs(face["pose_degrees"]["roll"]) < 10


def odd_picture(folder, kind):
    skimage = pytest.importorskip("skimage")
    picture = Image.open(f"{os.path.dirname(skimage.__file__)}/data/astronaut.png").convert("RGB")
    if kind == "16-bit":
        deep = (np.asarray(picture.convert("L")).astype(np.uint16) * 257).astype("<u2")
        Image.fromarray(deep).save(folder / "deep.png")
        return folder / "deep.png"
    if kind == "exif":
        exif = Image.Exif()
        exif[0x0112] = 6
        turned = picture.transpose(Image.Transpose.ROTATE_90)
        turned.save(folder / "turned.jpg", exif=exif)
        return folder / "turned.jpg"
    mode = {"grey": "L", "rgba": "RGBA", "cmyk": "CMYK", "palette": "P"}[kind]
    path = folder / ("odd.jpg" if mode == "CMYK" else "odd.png")
    picture.convert(mode).save(path)
    return path


def python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def test_a_process_ends_after_its_threads_and_what_is_registered_for_its_end():
    told = python(
        "-c",
        "import atexit, threading, time\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from morphface.cli.app import leave\n"
        "class Late:\n    def __del__(self): print('taken apart')\n"
        "late, pool = Late(), ThreadPoolExecutor(1)\n"
        "pool.submit(lambda: (time.sleep(0.2), print('thread')))\n"
        "atexit.register(print, 'end')\n"
        "leave(3)",
    )
    assert (told.stdout, told.returncode) == ("thread\nend\n", 3)


@pytest.mark.parametrize("module", ["morphface", "morphface.cli"])
def test_importing_loads_nothing_heavy(module):
    heavy = "{'torch', 'numpy', 'scipy', 'numba', 'mediapipe', 'PIL', 'roma'}"
    result = python("-c", f"import sys, {module}; print({heavy} & set(sys.modules))")
    assert result.stdout == "set()\n"


def test_help_and_version_go_to_standard_output(capfd):
    from morphface import __version__

    assert run(["--version"]) == 0
    assert capfd.readouterr() == (f"morphface {__version__}\n", "")
    assert run(["fit", "--help"]) == 0
    out, err = capfd.readouterr()
    assert "NAME_OR_PATH" in out
    assert err == ""


def test_doctor_names_everything_and_how_to_get_it(capfd):
    assert run(["doctor"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    for name in ("python", "torch", "numba", "mediapipe", "cpu", "reference", "open-head"):
        assert f" {name} " in out
    missing = [line for line in out.splitlines() if line.startswith("no")]
    assert all(len(line.split(maxsplit=3)) == 4 for line in missing)


def test_photos_together_are_fitted_and_summarised(tmp_path, capfd):
    (tmp_path / "in").mkdir()
    with album_of(tmp_path / "in") as album:
        command = ["fit", "--together", *album[:3], album[3], "--out", str(tmp_path / "out")]
        command += ["--openpose"]
        assert run([*command, "--faces", "0,0,largest,0", "--focal", "352,352,352,440", *FAST]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    long = "a lens of 2.2 picture sides is long: if the picture was cut from a larger one"
    lines = [line for line in err.splitlines() if long not in line]
    assert len(lines) == len(err.splitlines()) - 4
    for number, image in enumerate(album):
        assert lines[number].startswith(f"photo {number} ({image}): landmark error ")
    assert lines[4].startswith(f"photo 3 ({album[3]}) may not be trusted: its landmarks contradict")
    assert lines[5:] == [f"written to {tmp_path / 'out'}/"]
    assert {"head.glb", "photo_0", "photo_3", "report.json"} <= set(names(tmp_path / "out"))
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [face["focal_pixels"] for face in report["faces"]] == [352, 352, 352, 440]
    for number in range(4):
        assert len(read_landmarks(tmp_path / "out" / f"photo_{number}" / "openpose.json")) == 1


def test_landmarks_are_written_as_openpose_has_them_and_read_again(tmp_path, capfd):
    with album_of(tmp_path) as album:
        known = to_scheme(photo_pipeline.faces_of(read_image(album[1]), "0", str)[1][0], "68")
        command = ["fit", album[1], *FAST, "--only", "report", "--quiet"]
        out = tmp_path / "out"
        assert run([*command, "--out", str(out), "--openpose"]) == 0
        assert names(out) == ["openpose.json", "report.json"]
        found = read_landmarks(out / "openpose.json")
        torch.testing.assert_close(found[0].points, known.points, atol=2e-3, rtol=0)
        person = json.loads((out / "openpose.json").read_text())["people"][0]
        assert all(person["face_keypoints_2d"][3 * row + 2] > 0 for row in (68, 69))  # pupils
        plain = tmp_path / "plain"
        assert run([*command, "--out", str(plain)]) == 0
        assert names(plain) == ["report.json"]
    again = tmp_path / "again"
    given = ["--landmarks", str(out / "openpose.json"), "--out", str(again)]
    assert run([*command, *given]) == 0
    told = json.loads((again / "report.json").read_text())["faces"][0]
    assert told["landmark_nme"] < 0.03
    assert capfd.readouterr() == ("", "")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.jpg", "b.jpg", "--landmarks", "a.pts"], "--landmarks cannot go with several"),
        (["a.jpg", "b.jpg", "--together", "--landmarks", "a.pts"], "--landmarks cannot go with"),
        (["a.jpg", "b.jpg", "--together", "--faces", "all"], 'faces must be "largest" or an'),
        (["a.jpg", "b.jpg", "--together", "--faces", "0,0,0"], "one for each of the 2, got 3"),
        (["a.jpg", "--together"], "needs at least two photos of one person"),
        (["a.jpg", "b.jpg", "--together"], "there is no file a.jpg"),
    ],
)
def test_photos_that_cannot_go_together_get_one_sentence(tmp_path, capfd, arguments, message):
    code = run(["fit", *arguments, "--out", str(tmp_path / "out")])
    assert message in refusal(capfd, code)
    assert names(tmp_path) == []


def test_a_terminated_run_leaves_nothing(tmp_path):
    needs_detector()
    code = (
        "import os, signal, sys, morphface.pipelines.photo as p, morphface.cli as c\n"
        "p.find_faces = lambda *a, **k: os.kill(os.getpid(), signal.SIGTERM)\n"
        f"sys.argv = ['morphface', 'fit', 'sample:astronaut', '--out', {str(tmp_path / 'out')!r}]\n"
        "c.main()\n"
    )
    result = python("-c", code)
    assert result.returncode == 128 + signal.SIGTERM
    assert names(tmp_path) == []

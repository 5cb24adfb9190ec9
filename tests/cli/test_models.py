import pytest
import torch

from morphface.cli import run
from morphface.landmarks.tables import MESH_OF_68
from morphface.models import LandmarkEmbedding, load_model, save_model
from morphface.pipelines import model_downloads, model_landmarks
from morphface.pipelines.model_landmarks import with_landmarks_for
from tests.data import needs_detector
from tests.models.readers import flame_files


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, toy):
    """A folder for models with one in it, called mine."""
    monkeypatch.setenv("MORPHFACE_MODELS", str(tmp_path / "models"))
    save_model(toy, tmp_path / "models" / "mine.safetensors", notes={"licence": "to play with"})
    return tmp_path / "models"


def output(capfd, arguments):
    assert run(["models", *arguments]) == 0
    return capfd.readouterr()


def refusal(capfd, arguments):
    """The one sentence on standard error."""
    assert run(["models", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err[len("error: ") : -1]


def test_list_shows_what_is_here_and_where_the_rest_is_to_be_had(capfd, folder):
    out, err = output(capfd, ["list"])
    rows = {line.split("\t")[1]: line.split("\t") for line in out.splitlines()}
    assert [name for name, row in rows.items() if row[0] == "ok"] == ["open-head", "mine"]
    assert rows["mine"][3:] == ["to play with", str(folder / "mine.safetensors")]
    assert rows["surrey"][3].startswith("non-commercial")
    assert "flame.is.tue.mpg.de" in rows["flame2023"][4]
    assert err == ""


def test_info_tells_sizes_units_expressions_landmarks_and_licence(capfd, toy):
    out, _ = output(capfd, ["info", "mine"])
    told = dict(line.split("\t") for line in out.splitlines())
    assert told["vertices"] == f"{toy.size}, {len(toy.faces)} triangles"
    assert told["size"] == "150 x 210 x 180 mm"
    assert told["expression"] == "4 with bounds (move0, move1, move2, ...)"
    assert told["landmarks"] == "toy"
    assert told["licence"] == "to play with"
    assert told["read as"] == "a morphface model (.safetensors)"


def test_a_converted_model_is_loaded_by_its_new_name(capfd, folder):
    _, err = output(capfd, ["convert", "mine", "yours", "--half"])
    assert err == f"written to {folder / 'yours.safetensors'}\n"
    assert load_model("yours").name == "yours"
    assert "to play with" in output(capfd, ["info", "yours"]).out


def test_a_model_is_converted_to_a_path(capfd, tmp_path):
    target = tmp_path / "a" / "b.safetensors"
    assert output(capfd, ["convert", "mine", str(target), "--quiet"]) == ("", "")
    assert load_model(target).name == "b"


def stand_in(monkeypatch, counted):
    """Embeddings without a detector, and how often they were asked for."""

    class Detector:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    def embed(model, detector):
        counted.append(model.name)
        return LandmarkEmbedding(
            model.faces[:478], torch.full((478, 3), 1 / 3), torch.linspace(0, 1, 478)
        )

    monkeypatch.setattr(model_landmarks, "MediaPipeDetector", Detector)
    monkeypatch.setattr("morphface.landmarks.embed", embed)


def test_embed_keeps_the_landmarks_beside_the_model(capfd, folder, monkeypatch):
    stand_in(monkeypatch, [])
    _, err = output(capfd, ["embed", "mine"])
    place = folder / "mine.safetensors.landmarks.safetensors"
    assert err.splitlines() == [
        "finding the landmarks on model toy, once",
        f"written to {place}",
    ]
    assert set(load_model("mine").landmarks) == {"toy", "478", "68"}
    sparse, dense = (load_model("mine").landmarks[scheme] for scheme in ("68", "478"))
    assert torch.equal(sparse.confidence, dense.confidence[list(MESH_OF_68)])


def test_a_fit_computes_missing_landmarks_once_and_says_so(monkeypatch):
    counted, told = [], []
    stand_in(monkeypatch, counted)
    model = load_model("mine")
    assert with_landmarks_for(model, "mine", {"toy"}, told.append) is model
    assert "478" in with_landmarks_for(model, "mine", {"478"}, told.append).landmarks
    again = load_model("mine")
    assert with_landmarks_for(again, "mine", {"478"}, told.append) is again
    assert counted == ["toy"]
    assert told == ["finding the landmarks on model toy, once"]


def test_landmarks_that_cannot_be_kept_are_still_used(monkeypatch, folder):
    stand_in(monkeypatch, [])
    model = load_model("mine")
    (folder / "mine.safetensors.landmarks.safetensors").mkdir()
    (folder / "landmarks").touch()
    assert "68" in with_landmarks_for(model, "mine", {"68"}).landmarks


@pytest.mark.slow
def test_a_face_without_landmarks_is_embedded_by_the_detector(folder):
    needs_detector()
    from dataclasses import replace

    save_model(replace(load_model(), landmarks={}), folder / "bare.safetensors")
    found = with_landmarks_for(load_model("bare"), "bare", {"478"}).landmarks["478"]
    mean = load_model().identity.mean
    distance = (found.points(mean) - load_model().landmarks["478"].points(mean)).norm(dim=-1)
    assert distance.median() < 0.5


@pytest.mark.refusal
def test_get_says_where_a_licensed_model_is_to_be_had_and_fails(capfd, folder):
    assert run(["models", "get", "flame"]) == 2
    err = capfd.readouterr().err
    assert "model 'flame' cannot be fetched for you" in err
    assert "flame.is.tue.mpg.de" in err
    assert str(folder) in err
    assert "non-commercial" in err


def test_get_fetches_what_anybody_may_fetch(capfd, folder, monkeypatch):
    monkeypatch.setattr(model_downloads, "_fetch", lambda item: folder / item.name)
    _, err = output(capfd, ["get", "surrey", "--yes"])
    assert "non-commercial use only" in err.splitlines()[0]
    assert err.splitlines()[1] == f"written to {folder / 'sfm_shape_3448.bin'}"


HASH = "0123456789abcdef" * 4


def test_get_fetches_what_the_user_says_by_the_name_of_the_model(capfd, folder, monkeypatch):
    fetched = []

    def fetch(item):
        fetched.append(item)
        (folder / item.name).write_bytes(b"head")
        return folder / item.name

    monkeypatch.setattr(model_downloads, "_fetch", fetch)
    folder.mkdir(exist_ok=True)
    address = "https://example.org/v3/head.npz"
    _, err = output(capfd, ["get", "gnm", "--yes", "--url", address, "--sha256", HASH.upper()])
    assert err.splitlines()[-1] == f"written to {folder / 'gnm_head.npz'}"
    assert (fetched[0].url, fetched[0].sha256) == (address, HASH)
    assert (folder / "gnm_head.npz").read_bytes() == b"head"


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--url", "https://example.org/x"], "--sha256 must be the 64 hexadecimal digits"),
        (["--sha256", HASH], "--url must be the http address of the model's file"),
        (["--url", "file:///etc/passwd", "--sha256", HASH], "--url must be the http address"),
    ],
)
def test_an_address_without_a_hash_is_refused(capfd, given, words):
    assert run(["models", "get", "gnm", "--yes", *given]) == 2
    assert words in capfd.readouterr().err


def test_convert_says_how_many_directions_are_identity(capfd, folder, tmp_path):
    content = dict(flame_files.arrays())
    content["shapedirs"] = content["shapedirs"][..., :150]
    (tmp_path / "cut.pkl").write_bytes(flame_files.flame_2023(content))
    source, target = str(tmp_path / "cut.pkl"), str(tmp_path / "cut.safetensors")
    output(capfd, ["convert", source, target, "--identity-count", "100"])
    out, _ = output(capfd, ["info", target])
    assert "identity\t100 components" in out
    assert "50 in standard deviations" in out


@pytest.mark.refusal
def test_get_asks_for_consent(capfd):
    run(["models", "get", "surrey"])
    assert "error: pass --yes to accept the licence of surrey (no commercial use)" in (
        capfd.readouterr().err
    )


@pytest.mark.refusal
def test_a_failed_download_says_what_to_do_by_hand(capfd, monkeypatch):
    import pooch

    def fail(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(pooch, "retrieve", fail)
    assert run(["models", "get", "surrey", "--yes"]) == 2
    assert "fetch it by hand and put it into" in capfd.readouterr().err


@pytest.mark.refusal
def test_a_download_of_another_content_is_refused(capfd, monkeypatch):
    import pooch

    def fail(*_, **__):
        raise ValueError("hash")

    monkeypatch.setattr(pooch, "retrieve", fail)
    assert run(["models", "get", "surrey", "--yes"]) == 2
    assert "is not the one that morphface knows (SHA-256 43750338ae53...)" in (
        capfd.readouterr().err
    )


@pytest.mark.refusal
def test_what_cannot_be_fetched_is_refused():
    from morphface.core.errors import ModelError

    with pytest.raises(ModelError, match="model 'bfm2017' cannot be fetched for you: obtain it"):
        model_downloads.download_model("bfm2017")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "nobody"], "no model is called 'nobody'"),
        (["info", "flame"], "model 'flame' is not here: obtain it from"),
        (["info", "mine", "--expression", "a.bin"], "has no option expression"),
        (["info"], "; see morphface models info --help"),
        (["convert", "mine", "surrey"], "'surrey' is the name of another model"),
        (["convert", "mine", "open-head"], "'open-head' is the name of another model"),
        (["convert", "mine", "a.npz"], "a.npz must end with .safetensors"),
        (["convert", "nowhere.mat", "yours"], "there is no model file at"),
        (["embed", "open-head"], "model 'open-head' has its landmarks already"),
        (["embed", "nobody"], "no model is called 'nobody'"),
        (["get", "nobody"], "no published model is called 'nobody': known are bfm2009"),
    ],
)
def test_a_bad_command_gets_one_sentence(capfd, arguments, message):
    assert message in refusal(capfd, arguments)


@pytest.mark.refusal
def test_a_file_that_is_no_model_is_told_by_what_it_looks_like(capfd, tmp_path):
    (tmp_path / "flame.pkl").write_text("v 1 2 3\n")
    message = refusal(capfd, ["info", str(tmp_path / "flame.pkl")])
    assert "flame.pkl is a text file, not a model known here" in message

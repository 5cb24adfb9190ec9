"""From a photo or a video to files: wiring only, each step is a function of another package."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.pipelines.doctor import examine
    from morphface.pipelines.evaluate import evaluate_files
    from morphface.pipelines.exports import EXPORTS, export, import_curves
    from morphface.pipelines.head_files import rigged_head, write_head
    from morphface.pipelines.implicit import open_implicit, train_implicit
    from morphface.pipelines.inspect import inspect_dataset
    from morphface.pipelines.many import reconstruct_many
    from morphface.pipelines.model_downloads import download_model
    from morphface.pipelines.model_landmarks import embed_model
    from morphface.pipelines.models import convert_model, describe_model, list_models
    from morphface.pipelines.orbit import orbit_photo
    from morphface.pipelines.overlay import draw_overlay
    from morphface.pipelines.photo import FittedFace, FittedPhoto, fit_photo
    from morphface.pipelines.prepare import PrepareSettings
    from morphface.pipelines.reconstruct import reconstruct
    from morphface.pipelines.reconstruct_together import reconstruct_together
    from morphface.pipelines.reenact import animate_video, reenact_video
    from morphface.pipelines.together import FittedPhotos, fit_photos
    from morphface.pipelines.tracking import track_video
    from morphface.pipelines.training import train_on_dataset
    from morphface.pipelines.transfer import transfer_files
    from morphface.pipelines.views import edit_photo, view_photo


__all__ = [
    "EXPORTS",
    "FittedFace",
    "FittedPhoto",
    "FittedPhotos",
    "PrepareSettings",
    "animate_video",
    "convert_model",
    "describe_model",
    "download_model",
    "draw_overlay",
    "edit_photo",
    "embed_model",
    "evaluate_files",
    "examine",
    "export",
    "fit_photo",
    "fit_photos",
    "import_curves",
    "inspect_dataset",
    "list_models",
    "open_implicit",
    "orbit_photo",
    "reconstruct",
    "reconstruct_many",
    "reconstruct_together",
    "reenact_video",
    "rigged_head",
    "track_video",
    "train_implicit",
    "train_on_dataset",
    "transfer_files",
    "view_photo",
    "write_head",
]


_HOMES = {
    "FittedFace": "photo",
    "FittedPhoto": "photo",
    "EXPORTS": "exports",
    "FittedPhotos": "together",
    "PrepareSettings": "prepare",
    "animate_video": "reenact",
    "convert_model": "models",
    "describe_model": "models",
    "download_model": "model_downloads",
    "draw_overlay": "overlay",
    "edit_photo": "views",
    "embed_model": "model_landmarks",
    "evaluate_files": "evaluate",
    "examine": "doctor",
    "export": "exports",
    "fit_photo": "photo",
    "fit_photos": "together",
    "import_curves": "exports",
    "inspect_dataset": "inspect",
    "list_models": "models",
    "open_implicit": "implicit",
    "orbit_photo": "orbit",
    "reconstruct": "reconstruct",
    "reconstruct_many": "many",
    "reconstruct_together": "reconstruct_together",
    "reenact_video": "reenact",
    "rigged_head": "head_files",
    "track_video": "tracking",
    "train_implicit": "implicit",
    "train_on_dataset": "training",
    "transfer_files": "transfer",
    "view_photo": "views",
    "write_head": "head_files",
}

__getattr__ = lazy_names(__name__, _HOMES)

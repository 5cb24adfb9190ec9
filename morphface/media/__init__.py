"""Pictures, videos and sound in and out, and mesh export."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.media.crop import Crop
    from morphface.media.images import Photo, PictureSource, read_image, write_image, write_photo
    from morphface.media.meshes import (
        Surface,
        encode_gltf,
        split_seams,
        write_gltf,
        write_obj,
        write_ply,
    )
    from morphface.media.shards import ShardFolder, ShardWriter, open_shards
    from morphface.media.sound import read_sound, sound_blocks, write_sound
    from morphface.media.video import Frame, Video, VideoWriter, read_video


__all__ = [
    "Crop",
    "Frame",
    "Photo",
    "PictureSource",
    "ShardFolder",
    "ShardWriter",
    "Surface",
    "Video",
    "VideoWriter",
    "encode_gltf",
    "open_shards",
    "read_image",
    "read_sound",
    "read_video",
    "sound_blocks",
    "split_seams",
    "write_gltf",
    "write_image",
    "write_obj",
    "write_photo",
    "write_ply",
    "write_sound",
]

_HOMES = {
    "Crop": "crop",
    "Frame": "video",
    "Photo": "images",
    "PictureSource": "images",
    "ShardFolder": "shards",
    "ShardWriter": "shards",
    "Surface": "meshes",
    "Video": "video",
    "VideoWriter": "video",
    "encode_gltf": "meshes",
    "open_shards": "shards",
    "read_image": "images",
    "read_sound": "sound",
    "read_video": "video",
    "sound_blocks": "sound",
    "split_seams": "meshes",
    "write_gltf": "meshes",
    "write_image": "images",
    "write_obj": "meshes",
    "write_photo": "images",
    "write_ply": "meshes",
    "write_sound": "sound",
}

__getattr__ = lazy_names(__name__, _HOMES)

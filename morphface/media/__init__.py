"""Pictures, videos and sound in and out, and mesh export."""

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

"""Photos and videos that speak: a portrait and a sound become a film."""

from morphface.pipelines.speak.run import speak_files
from morphface.pipelines.speak.wishes import Script, Showing

__all__ = ["Script", "Showing", "speak_files"]

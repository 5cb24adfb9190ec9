"""Tracks and heads in the files of other programs."""

from morphface.exchange.arkit import ArkitCurves, arkit_curves, track_of_curves
from morphface.exchange.arkit_json import read_arkit_json, write_arkit_json
from morphface.exchange.live_link import read_live_link, write_live_link

__all__ = [
    "ArkitCurves",
    "arkit_curves",
    "read_arkit_json",
    "read_live_link",
    "track_of_curves",
    "write_arkit_json",
    "write_live_link",
]

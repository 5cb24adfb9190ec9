"""A session without a face: it answers at once, and its picture shows what it was told."""

import io
import json
from types import SimpleNamespace

import numpy as np
from PIL import Image

CONTROLS = (
    ("expression/jawOpen", "jaw", 0.0, 1.0, 0.01, 0.1),
    ("expression/browInnerUp", "brows", 0.0, 1.0, 0.01, 0.0),
    ("pose/yaw", "pose", -90.0, 90.0, 0.5, 5.0),
    ("pose/pitch", "pose", -90.0, 90.0, 0.5, 0.0),
    ("gaze/yaw", "gaze", -45.0, 45.0, 0.5, 0.0),
    ("gaze/pitch", "gaze", -45.0, 45.0, 0.5, 0.0),
    ("light/yaw", "light", -180.0, 180.0, 0.5, 20.0),
    ("light/pitch", "light", -90.0, 90.0, 0.5, 10.0),
)
PER_WIDTH = 90.0


class StandIn:
    """Answers as a session does."""

    zooms = ("face", "photo")

    def __init__(self):
        self.values = {c[0]: c[5] for c in CONTROLS}
        self.past, self.future, self.heard = [], [], []
        self.view, self.before, self.base = "photo", False, None
        self.zoom = "face"

    def handle(self, message):
        self.heard.append(message)
        fields = {"id": message.get("id"), "ok": True, "error": None}
        buffers = []
        error = getattr(self, f"_{message.get('do')}", self._unknown)(message, fields, buffers)
        if error:
            fields |= {"ok": False, "error": error}
        fields |= {"values": dict(self.values), "view": self.view, "before": self.before}
        fields |= {"zoom": self.zoom}
        fields |= {"undo": bool(self.past), "redo": bool(self.future), "picture": None}
        if not buffers and not error:
            fields["picture"] = self._picture(message.get("dragging", False), buffers)
        return SimpleNamespace(fields=fields, buffers=buffers)

    def _picture(self, coarse, buffers):
        side = 96 if coarse else 192
        pixels = np.full((side, side, 3), 90, np.uint8)
        pixels[side // 2 :, :, 0] = int(50 + 200 * self.values["expression/jawOpen"])
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG")
        buffers.append(file.getvalue())
        size = {"width": side, "height": side, "coarse": coarse, "milliseconds": 1.5}
        return {"type": "image/jpeg", **size}

    def _keep(self):
        self.past.append(dict(self.values))
        self.future.clear()

    def _unknown(self, message, fields, buffers):
        return f"there is no message {message.get('do')!r}"

    def _open(self, message, fields, buffers):
        names = ("id", "group", "min", "max", "step", "start")
        controls = [dict(zip(names, c, strict=True)) for c in CONTROLS]
        for control in controls:
            control["label"] = control["id"].split("/")[1]
            control["value"] = self.values[control["id"]]
        groups = [{"id": n, "label": n.title()} for n in ("brows", "jaw", "pose", "gaze", "light")]
        fields |= {"controls": controls, "groups": groups, "presets": ["smile", "neutral"]}
        fields["views"] = ["photo", "rendered", "mesh", "normal", "depth"]
        fields["zooms"] = list(self.zooms)

    def _set(self, message, fields, buffers):
        if message.get("control") not in self.values:
            return f"there is no slider {message.get('control')!r}"
        if self.base is None:
            self._keep()
        self.base = True if message.get("dragging") else None
        low, high = next(c[2:4] for c in CONTROLS if c[0] == message["control"])
        self.values[message["control"]] = min(max(message["value"], low), high)
        return None

    def _drag(self, message, fields, buffers):
        yaw, pitch = f"{message['what']}/yaw", f"{message['what']}/pitch"
        if message.get("start"):
            self._keep()
            self.base = self.values[yaw], self.values[pitch]
        self.values[yaw] = self.base[0] + PER_WIDTH * message["dx"]
        self.values[pitch] = self.base[1] - PER_WIDTH * message["dy"]
        if not message["dragging"]:
            self.base = None

    def _undo(self, message, fields, buffers):
        if self.past:
            self.future.append(self.values)
            self.values = self.past.pop()

    def _redo(self, message, fields, buffers):
        if self.future:
            self.past.append(self.values)
            self.values = self.future.pop()

    def _reset(self, message, fields, buffers):
        self._keep()
        group = message.get("group")
        self.values |= {c[0]: c[5] for c in CONTROLS if group in (None, c[1])}

    def _preset(self, message, fields, buffers):
        self._keep()
        self.values["expression/jawOpen"] = 0.4 * message["strength"]

    def _view(self, message, fields, buffers):
        self.view = message["name"]

    def _zoom(self, message, fields, buffers):
        self.zoom = message["name"]

    def _before(self, message, fields, buffers):
        self.before = message["on"]

    def _fine(self, message, fields, buffers):
        return None

    def _copy(self, message, fields, buffers):
        fields |= {"json": json.dumps(self.values), "python": "edited = None\n"}

    def _save(self, message, fields, buffers):
        fields["file"] = "head.glb"
        buffers.append(b"glTF")

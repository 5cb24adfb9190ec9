"""A hand and an eye for the editor's page."""

import base64
import io
import threading
from contextlib import contextmanager

import numpy as np
from PIL import Image

from morphface.ui.server import EditorServer

READ = "canvas => canvas.toDataURL('image/png').split(',')[1]"


class Tool:
    """The editor as its user has it.

    Args:
        page: of Playwright, or what holds the editor there.
    """

    def __init__(self, page, place=None):
        self.page, self.place = page, place or page

    def settle(self):
        """Wait until nothing is under way."""
        self.place.locator('.mf-stage[aria-busy="false"]').wait_for()

    def pixels(self):
        """The picture that is shown, 0 to 255."""
        self.settle()
        data = self.place.locator("canvas.mf-picture").evaluate(READ)
        picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
        return np.asarray(picture, np.float64)

    def slider(self, control):
        return self.place.locator(f'input[data-control="{control}"]')

    def value(self, control):
        return float(self.slider(control).input_value())

    def set(self, control, value):
        self.slider(control).fill(f"{value}")
        self.settle()

    def press(self, name):
        self.place.get_by_role("button", name=name, exact=True).click()
        self.settle()

    def choose(self, name):
        self.place.get_by_role("radio", name=name, exact=True).click()
        self.settle()

    def says(self, words):
        self.place.locator(".mf-state", has_text=words).wait_for()

    def drag(self, selector, dx, dy, steps=4):
        """Drag the middle of an element by pixels of the screen."""
        box = self.place.locator(selector).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=steps)
        self.page.mouse.up()
        self.settle()

    def copied(self, button):
        """What is on the clipboard after a button was pressed."""
        self.press(button)
        self.says("on the clipboard")
        return self.page.evaluate("() => navigator.clipboard.readText()")


@contextmanager
def served(session):
    with EditorServer() as server:
        thread = threading.Thread(target=server.serve, args=(session,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

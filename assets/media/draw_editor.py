"""Draws `editor.jpg` of the README: `python assets/media/draw_editor.py`.

It opens the editor in Chromium as `morphface edit --ui` does, and moves it as a hand would. It
needs `pip install playwright`, and Chromium on the PATH.
"""

import io
import shutil
import tempfile
import threading
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from morphface.media.images import read_image, write_image
from morphface.ui.server import EditorServer
from morphface.ui.session import Session

PLACE = Path(__file__).with_name("editor.jpg")
SIZE = {"width": 1180, "height": 680}
MOVES = {"pose/yaw": 14, "expression/browInnerUp": 0.8, "expression/jawOpen": 0.45}
BUST = slice(0, 352), slice(44, 396)
"""The rows and columns of the photo that show head and shoulders."""
LARGEST = 200_000
"""Bytes of the picture."""


def settled(page: Page) -> None:
    """Wait until the editor shows what it was told."""
    page.locator('.mf-stage[aria-busy="false"]').wait_for(timeout=60_000)
    page.wait_for_timeout(1000)  # the fine picture comes a moment after the quick one


def shot(page: Page, address: str) -> bytes:
    """The page after some moves."""
    page.goto(address)
    settled(page)
    for control, value in MOVES.items():
        page.locator(f'input[data-control="{control}"]').fill(f"{value}")
        settled(page)
    page.mouse.move(2, 2)
    return page.screenshot()


def bust(folder: str) -> Path:
    """A photo that the head fills."""
    path = Path(folder) / "astronaut.png"
    write_image(path, read_image("sample:astronaut").pixels[BUST])
    return path


def main() -> None:
    """Write the picture, as good as it may be at its size."""
    with tempfile.TemporaryDirectory() as folder, EditorServer() as server:
        session = Session.of(bust(folder))
        threading.Thread(target=server.serve, args=(session,), daemon=True).start()
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            taken = shot(browser.new_page(viewport=SIZE, color_scheme="light"), server.address)
            browser.close()
        server.shutdown()
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    for quality in (90, 85, 80, 70, 60):
        picture.save(PLACE, quality=quality, optimize=True)
        if PLACE.stat().st_size <= LARGEST:
            break
    print(f"{PLACE}: {PLACE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

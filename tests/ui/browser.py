"""A real browser and a real JupyterLab for tests, both cut off from the network."""

import ctypes
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120
"""Until a wait fails; a busy machine is no failure."""
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""Software WebGL, and no name of another machine resolves."""
LOCAL = ("about", "blob", "chrome", "data", "file")
OPEN = """async (path) => {
    const panel = await jupyterapp.commands.execute("docmanager:open", {path});
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
    jupyterapp.shell.activateById(panel.id);
    await jupyterapp.commands.execute("notebook:run-all-cells");
}"""
RUN = """async (code) => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({code});
    let text = "";
    future.onIOPub = ({header, content}) => {
        if (header.msg_type === "stream") text += content.text;
        if (header.msg_type === "error") text += content.traceback.join("\\n");
    };
    const reply = await future.done;
    if (reply.content.status !== "ok") throw new Error(text);
    return text;
}"""
SHUT = "async () => await jupyterapp.shell.currentWidget?.sessionContext?.shutdown()"
CLOSE = """async () => {
    for (const panel of [...jupyterapp.shell.widgets("main")]) {
        await panel.sessionContext?.shutdown();
        panel.dispose();
    }
}"""


def need(package: str) -> None:
    """Skip unless `package` is installed."""
    if find_spec(package) is None:
        pytest.skip(f"tests in a browser need {package}: pip install 'morphface[test]'")


def chromium() -> str:
    """Where the browser is, or a skip that says how to get it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (found := shutil.which(name)) is not None:
            return found
    pytest.skip("tests in a browser need Chromium: apt install chromium")


@contextmanager
def launched():
    """A Chromium of Playwright; it ends with the block."""
    need("playwright")
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Watch:
    """What a browser context asked for and complained of, since the last check.

    Args:
        context: of Playwright.
    """

    def __init__(self, context) -> None:
        self.requests: list[str] = []
        self.errors: list[tuple[str, str]] = []
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("page", lambda page: page.on("websocket", self._websocket))
        context.on("weberror", lambda error: self.errors.append(("page", str(error.error))))
        context.on("console", self._console)

    def _websocket(self, socket) -> None:
        self.requests.append(socket.url)

    def _console(self, message) -> None:
        if message.type == "error":
            self.errors.append((message.location.get("url", ""), message.text))

    @property
    def strangers(self) -> list[str]:
        """Requests that left this machine."""
        parts = [(url, urlsplit(url)) for url in self.requests]
        return [u for u, p in parts if p.scheme not in LOCAL and p.hostname != "127.0.0.1"]

    def forgive(self, words: str) -> None:
        """Take out errors that contain `words`, which a test provoked."""
        kept = [error for error in self.errors if words not in error[1]]
        assert len(kept) < len(self.errors), f"no error says {words!r}: {self.errors}"
        self.errors = kept

    def check(self, ours: Callable[[str, str], bool] = lambda place, text: True) -> None:
        """Fail if a request left the machine, or an error is `ours` by its place and text."""
        strangers, errors = self.strangers, [error for error in self.errors if ours(*error)]
        self.requests, self.errors = [], []
        assert not strangers, f"asked of another machine: {strangers}"
        assert not errors, f"complaints: {errors}"


class Lab:
    """A JupyterLab that is open in a browser.

    Args:
        page: of Playwright, with JupyterLab.
        folder: whose notebooks it opens.
    """

    def __init__(self, page, folder: Path) -> None:
        self.page, self.folder = page, folder

    def open(self, *cells: str):
        """Open a notebook of these cells, run them all, and return the page.

        The cells may also be one path of a notebook, of which a copy is opened.
        """
        file = self.folder / f"{secrets.token_hex(4)}.ipynb"
        if len(cells) == 1 and cells[0].endswith(".ipynb"):
            shutil.copy(cells[0], file)
        else:
            file.write_text(json.dumps(notebook(cells)), encoding="utf-8")
        self.page.evaluate(OPEN, file.name)
        return self.page

    def run(self, code: str) -> str:
        """What `code` prints in the notebook's kernel."""
        return self.page.evaluate(RUN, code)

    def shut(self) -> None:
        """End the notebook's kernel."""
        self.page.evaluate(SHUT)

    def close(self) -> None:
        """End all kernels and close their notebooks without asking."""
        self.page.evaluate(CLOSE)


@contextmanager
def opened(browser):
    """A profile of its own, which waits long and may use the clipboard."""
    size = {"width": 1280, "height": 800}
    with browser.new_context(viewport=size, accept_downloads=True) as context:
        context.set_default_timeout(SECONDS * 1000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield context


def notebook(cells) -> dict:
    """A notebook of code cells."""
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell{index}",
                "metadata": {},
                "outputs": [],
                "source": source,
            }
            for index, source in enumerate(cells)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@contextmanager
def jupyterlab(folder: Path):
    """A JupyterLab on 127.0.0.1 with a free port and a token; yields its address and token."""
    for package in ("jupyterlab", "ipykernel", "anywidget"):
        need(package)
    work, runtime = folder / "work", folder / "runtime"
    work.mkdir()
    env = os.environ | {
        "IPYTHONDIR": f"{folder / 'ipython'}",
        "JUPYTER_CONFIG_DIR": f"{folder / 'config'}",
        "JUPYTER_DATA_DIR": f"{folder / 'data'}",
        "JUPYTER_RUNTIME_DIR": f"{runtime}",
        "PYTHONPATH": os.pathsep.join([f"{ROOT}", os.environ.get("PYTHONPATH", "")]),
    }
    log = folder / "lab.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, __file__, *_options(work, folder)],
            cwd=work,
            env=env,
            stdout=output,
            stderr=output,
        )
    try:
        server = _server(runtime, process, log)
        yield server["url"], server["token"], work
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _options(work: Path, folder: Path) -> list[str]:
    """Of a JupyterLab that asks nobody for anything."""
    settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    return [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        f"--ServerApp.root_dir={work}",
        "--ServerApp.terminals_enabled=False",
        "--KernelManager.shutdown_wait_time=0.2",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--LabApp.user_settings_dir={folder / 'settings'}",
        f"--LabApp.workspaces_dir={folder / 'workspaces'}",
    ]


def _server(runtime: Path, process: subprocess.Popen, log: Path) -> dict:
    """What the server says of itself, as soon as it runs."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            text = file.read_text(encoding="utf-8")
            if text.endswith("}"):
                return json.loads(text)
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")


def _end_with_parent() -> None:
    """Ask Linux to end this process, as from a terminal, when the tests are gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


if __name__ == "__main__":
    _end_with_parent()
    from jupyterlab.labapp import main

    main()

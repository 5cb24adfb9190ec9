"""How long after a hand moved a slider of the editor's page is the new picture on the screen?

Debian's Chromium on the page that `morphface edit --ui` serves, driven by Playwright. A script in
the page sends `input` events to the slider of jawOpen, as a dragging hand makes them, and watches
the picture: an event's time is that from the event until a picture that knows of it, or of a
later one, has been decoded and drawn. Either the next event comes when the picture is there, or
60 come in a second, whether there is a picture or not: then the page sends only the newest of
those that wait, and an event may wait for the picture before its own.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from statistics import median, quantiles
from typing import Any

from morphface.fit.fitted import FittedPhoto
from morphface.ui.server import EditorServer
from morphface.ui.session import Session

__all__ = ["TARGET_MS", "browser_cases"]

TARGET_MS = 80.0
PACES = {"one at a time": None, "60 events a second": 1000 / 60}
"""Milliseconds from one event to the next; None waits for its picture."""
SETTLED = '.mf-stage[aria-busy="false"]'
PATIENCE_MS = 300_000.0
DRAG = """async ([events, pace]) => {
    const slider = document.querySelector('input[data-control="expression/jawOpen"]');
    const canvas = document.querySelector("canvas.mf-picture");
    const [sent, times] = [[], []];
    let answered = -1;
    const ask = window.fetch;
    window.fetch = async (address, options) => {
        const reply = await ask(address, options);
        const message = options?.body ? JSON.parse(options.body) : {};
        if (message.do !== "set") return reply;
        const body = await reply.arrayBuffer();
        answered = message.value;
        return { ok: reply.ok, arrayBuffer: async () => body };
    };
    const sleep = (time) => new Promise((done) => setTimeout(done, time));
    let drawn = () => {};
    const watch = new MutationObserver(() => {
        const now = performance.now();
        while (times.length < sent.length && sent[times.length].value <= answered + 1e-6)
            times.push(now - sent[times.length].at);
        drawn();
    });
    watch.observe(canvas, { attributeFilter: ["data-drawn"] });
    const next = async (value) => {
        sent.push({ at: performance.now(), value });
        slider.value = value;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        while (pace === null && times.length < sent.length)
            await new Promise((done) => { drawn = done; });
        await sleep(pace ?? 16);
    };
    for (let k = 1; k <= events; k++) await next(Number((k / events).toFixed(2)));
    while (times.length < sent.length) await sleep(20);
    slider.dispatchEvent(new Event("change", { bubbles: true }));
    watch.disconnect();
    window.fetch = ask;
    return times;
}"""


def browser_cases(found: FittedPhoto, events: int) -> list[dict[str, Any]]:
    """The times of a drag at each pace; none, and a word why, without a browser.

    Args:
        found: the photo whose face is edited.
        events: of each drag.
    """
    path = shutil.which("chromium")
    if path is None or find_spec("playwright") is None:
        print("the browser is left out: it needs Debian's chromium, and the package playwright")
        return []
    with _page(found, path) as page:
        _drag(page, 10, None)
        return [_case(name, _drag(page, events, pace)) for name, pace in PACES.items()]


@contextmanager
def _page(found: FittedPhoto, path: str) -> Iterator[Any]:
    """The editor's page, opened and at rest."""
    from playwright.sync_api import sync_playwright

    with EditorServer() as server, sync_playwright() as playwright:
        work = threading.Thread(target=server.serve, args=(Session.of(found),))
        work.start()
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(PATIENCE_MS)
            page.goto(server.address)
            yield page
            browser.close()
        finally:
            server.shutdown()
            work.join()


def _drag(page: Any, events: int, pace: float | None) -> list[float]:
    """Milliseconds of each event of one drag."""
    page.locator(SETTLED).wait_for()
    page.get_by_role("button", name="Reset everything to the fit").click()
    page.locator(SETTLED).wait_for()
    times: list[float] = page.evaluate(DRAG, [events, pace])
    page.wait_for_timeout(500)  # a hand that rests is answered with a finer picture
    page.locator(SETTLED).wait_for()
    return times


def _case(name: str, times: list[float]) -> dict[str, Any]:
    middle = median(times)
    out = {"case": f"jawOpen, in the browser, {name}", "moves": len(times)}
    out |= {"median_ms": round(middle, 1), "p95_ms": round(quantiles(times, n=20)[-1], 1)}
    out |= {"min_ms": round(min(times), 1), "target_ms": TARGET_MS}
    return out | {"met": middle <= TARGET_MS}

"""Fixtures of tests in a browser: `page`, and `lab` for JupyterLab."""

import pytest

from morphface.pipelines import fit_photo
from morphface.pipelines.head_files import rigged_head
from tests.data import needs_detector
from tests.ui.browser import Lab, Watch, jupyterlab, launched, need, opened
from tests.ui.hand import Tool, served
from tests.ui.stand_in import StandIn


@pytest.fixture(scope="package")
def browser():
    """One Chromium for all; Playwright's event loop must not outlive the tests of this folder."""
    with launched() as browser:
        yield browser


@pytest.fixture
def context(browser):
    """A profile of its own for each test."""
    with opened(browser) as context:
        yield context


@pytest.fixture
def watch(context):
    """What the browser asks for and complains of; see `Watch`."""
    return Watch(context)


@pytest.fixture
def page(watch, context):
    """An empty page; the test fails if it asks another machine, or if a script complains."""
    page = context.new_page()
    yield page
    watch.check()


@pytest.fixture(scope="package")
def lab_window(browser, tmp_path_factory):
    """One JupyterLab for all, open in one page, and what that asks for and complains of."""
    lab = jupyterlab(tmp_path_factory.mktemp("lab"))
    with lab as (address, token, folder), opened(browser) as context:
        watch, page = Watch(context), context.new_page()
        page.goto(f"{address}lab?reset&token={token}")
        page.wait_for_function("() => window.jupyterapp?.restored.then(() => true)")
        yield Lab(page, folder), watch


@pytest.fixture
def lab(lab_window):
    """`lab.open(*cells)` runs a notebook; fails as `page`, but Jupyter may complain of itself."""
    lab, watch = lab_window
    yield lab
    lab.close()
    watch.check(lambda place, text: place.startswith("blob:") or "anywidget" in text)


@pytest.fixture(scope="session")
def astronaut():
    """A real photo, fitted by its landmarks alone."""
    needs_detector()
    return fit_photo("sample:astronaut", stage="linear")


@pytest.fixture(scope="session")
def rig(astronaut):
    """The person of that photo as a head that moves."""
    return rigged_head(astronaut.faces[0], astronaut.photo)


@pytest.fixture(scope="session")
def viewer(rig):
    """That head in 3D, without a browser."""
    need("anywidget")
    from morphface.ui import HeadViewer

    return HeadViewer(rig)


@pytest.fixture(scope="session")
def head_page(viewer, tmp_path_factory):
    """That head as a page of its own."""
    return viewer.to_html(tmp_path_factory.mktemp("page") / "head.html")


@pytest.fixture
def session():
    return StandIn()


@pytest.fixture
def tool(page, session):
    """The page of a session without a face."""
    with served(session) as server:
        page.goto(server.address)
        tool = Tool(page)
        tool.settle()
        yield tool

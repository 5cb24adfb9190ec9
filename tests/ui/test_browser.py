"""The browser fixtures themselves."""

import pytest


def test_a_page_draws_with_webgl(page):
    page.set_content("<canvas></canvas>")
    version = "document.querySelector('canvas').getContext('webgl2').getParameter(0x1F02)"
    assert "WebGL 2" in page.evaluate(version)


def test_a_request_to_another_machine_is_seen_and_fails(page, context, watch):
    with context.expect_event("console"):
        page.set_content("<img src='http://example.com/a.png'>")
    assert watch.strangers == ["http://example.com/a.png"]
    with pytest.raises(AssertionError, match="another machine: .*example"):
        watch.check()
    assert watch.strangers == []  # each is said once


def test_a_script_that_fails_is_seen(page, context, watch):
    with context.expect_event("weberror"):
        page.set_content("<script>throw new Error('lost')</script>")
    watch.forgive("lost")


@pytest.mark.slow
def test_a_notebook_runs_in_jupyterlab(lab):
    page = lab.open("x = 6 * 7\nprint(x)", "print('done')")
    page.get_by_text("done", exact=True).wait_for()
    assert lab.run("print(x + 1)") == "43\n"

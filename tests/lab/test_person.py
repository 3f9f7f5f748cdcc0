"""The acceptance test's browser reads and sends forms as a browser does."""

from __future__ import annotations

import pytest

from hanode.lab.person import PersonError, _page

PAGE = b"""
<form action="/search"><input name="q" value="x"></form>
<form method="post">
  <input type="hidden" name="csrfmiddlewaretoken" value="token">
  <input type="checkbox" name="off" value="1"><input type="checkbox" name="on" checked>
  <textarea name="text">
first &amp; second
  third</textarea>
  <select name="role"><option value="a">A<option value="b" selected>B</select>
  <input type="submit" name="go" value="Go">
  <button formaction="/lab/NodeA/stop/">Stop</button>
</form>
"""


def test_form_carries_what_a_browser_sends() -> None:
    form = _page("http://demo/c/x/", 200, PAGE).form(action="/c/x/")
    assert form.fields == {
        "csrfmiddlewaretoken": "token",
        "on": "on",
        "text": "first & second\n  third",
        "role": "b",
    }


def test_button_may_send_its_form_elsewhere() -> None:
    page = _page("http://demo/c/x/", 200, PAGE)
    assert page.button("/lab/NodeA/stop/").action == "/lab/NodeA/stop/"
    with pytest.raises(PersonError, match="no button for /lab/NodeA/kill/"):
        page.button("/lab/NodeA/kill/")


def test_missing_form_is_told_in_a_sentence() -> None:
    page = _page("http://demo/c/x/", 404, b"not found")
    with pytest.raises(PersonError, match=r"/c/x/ \(HTTP status 404\) has no form for /push/"):
        page.form(action="/push/")

"""Without a browser that works its tests are skipped; what a page does wrong is never skipped."""

from __future__ import annotations

import pytest


def test_none_at_all(start_browser, tmp_path):
    with pytest.raises(pytest.skip.Exception, match="needs a browser, one of chromium"):
        start_browser(None, tmp_path)


def test_one_that_ends_at_once_is_skipped_with_what_it_said(start_browser, tmp_path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho 'no usable sandbox' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(pytest.skip.Exception, match="cannot start: no usable sandbox"):
        start_browser(str(program), tmp_path)


def test_one_that_is_no_program(start_browser, tmp_path):
    program = tmp_path / "chromium"
    program.write_bytes(b"\0\0\0\0")
    program.chmod(0o755)
    with pytest.raises(pytest.skip.Exception, match="cannot start"):
        start_browser(str(program), tmp_path)


def test_an_error_of_a_page_is_a_complaint(open_page, tmp_path):
    file = tmp_path / "broken.html"
    file.write_text("<!DOCTYPE html><script>throw new Error('no ink')</script>")
    assert "no ink" in "".join(open_page(file).complaints())

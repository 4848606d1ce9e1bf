"""Where the checkpoints were published, as specified."""

from __future__ import annotations

from moofa.published import entries


def test_the_archive_is_behind_a_page_alone():
    (entry,) = entries()
    assert (entry.name, entry.supernet, entry.layout) == ("moofa_v3", "moofa_v3", "new")
    assert entry.page == "https://drive.google.com/file/d/1xSFRTZ9b9ONI7_8s_VEyKLzd5rLihYAT"
    assert entry.addresses == ()
    assert (entry.size, entry.sha256) == (None, None)

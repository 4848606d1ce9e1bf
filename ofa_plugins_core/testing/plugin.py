"""Fixtures for plugin authors; pytest loads this module wherever the core is installed.

It imports nothing until a fixture is used: every pytest run in the environment pays for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import numpy as np

    from ofa_plugins_core.host import Host
    from ofa_plugins_core.testing.toys import ToySupernet


@pytest.fixture(scope="session")
def ofa_host() -> Host:
    """The plugins that are installed; discovered once."""
    from ofa_plugins_core.host import Host

    return Host.discover()


@pytest.fixture
def ofa_generator() -> np.random.Generator:
    """A random generator with a fixed seed."""
    import numpy as np

    return np.random.default_rng(20)


@pytest.fixture
def ofa_toy() -> ToySupernet:
    """A supernet of 400 networks at each of two image sizes."""
    from ofa_plugins_core.testing.toys import toy_supernet

    return toy_supernet()


@pytest.fixture
def ofa_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Makes plugins look installed for one test: ``ofa_install(name, source, version="1.0")``.

    Takes the arguments of ``ofa_plugins_core.testing.installed`` after its folder.
    """
    from ofa_plugins_core.testing.installing import installed

    before = set(sys.modules)

    def install(name: str, source: Any, **how: Any) -> Path:
        number = len(list(tmp_path.glob("site-*")))
        site = installed(tmp_path / f"site-{number}", name, source, **how)
        monkeypatch.syspath_prepend(str(site))
        invalidate_caches()
        return site

    yield install
    for name in set(sys.modules) - before:
        origin = getattr(sys.modules[name], "__file__", None) or ""
        if origin.startswith(str(tmp_path)):
            del sys.modules[name]

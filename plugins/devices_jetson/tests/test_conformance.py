"""What devices_jetson offers keeps the laws of the seams."""

from __future__ import annotations

from ofa_plugins_core.testing import PluginSuite


class TestPlugin(PluginSuite):
    plugin = "devices_jetson"

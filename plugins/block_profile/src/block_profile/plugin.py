"""The hooks of the plugin block_profile."""

from __future__ import annotations

OFA_API = 1

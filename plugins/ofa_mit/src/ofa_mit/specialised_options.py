"""The options of ``ofa run specialised``; alone, so that discovering the plugin loads no more."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen
from attrs.validators import ge, le, optional


@frozen(kw_only=True)
class SpecialisedOptions:
    """Which published configurations, and what they do not say."""

    folder: Path = field(
        metadata={
            "help": "NAME.json files, NAME/net.config folders, or one of either",
            "metavar": "FOLDER",
        }
    )
    supernet: str | None = field(
        default=None,
        metadata={
            "help": "only networks of this one; a name, or a YAML file",
            "metavar": "NAME",
        },
    )
    image_size: int | None = field(
        default=None,
        validator=optional([ge(32), le(65536)]),
        metadata={
            "help": "pixels, where neither the configuration nor its name says; default: 224",
            "metavar": "PIXELS",
        },
    )

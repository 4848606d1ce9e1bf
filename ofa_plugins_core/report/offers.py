"""What plugins offer: one line each, or one offer with its options."""

from __future__ import annotations

import types
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, Literal, Union, get_args, get_origin

import attrs
from attrs import frozen

from ofa_plugins_core.entries import (
    DeviceEntry,
    FittedPredictorEntry,
    ReductionEntry,
    SupernetFamilyEntry,
    WeightsEntry,
)
from ofa_plugins_core.errors import OfaError, UnknownNameError
from ofa_plugins_core.fits import user_reductions
from ofa_plugins_core.hookspecs import KINDS
from ofa_plugins_core.host import Host

SHORT: Final = {"costs": "cost_models", "policies": "runtime_policies", "plans": "training_plans"}
"""What people call a kind."""


@frozen
class Offered:
    """One thing that a plugin offers."""

    kind: str
    name: str
    summary: str
    plugin: str
    aliases: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**attrs.asdict(self), "aliases": list(self.aliases)}


@frozen
class Setting:
    """One option of an offer.

    Attributes:
        type: as a user reads it: ``int``, ``one of int8, fp16, fp32``.
        default: its value, or None where it has to be given (``required``) or is nothing.
        help: what it does.
    """

    name: str
    type: str
    default: Any
    required: bool
    help: str


@frozen
class OfferFacts:
    """What ``ofa show KIND NAME`` shows of anything but a supernet.

    Attributes:
        offered: its line in the list.
        settings: its options.
        details: what only its kind has: the unit of a cost, what a predictor is fitted for.
    """

    offered: Offered
    settings: tuple[Setting, ...]
    details: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        settings = [attrs.asdict(s) for s in self.settings]
        return {**self.offered.as_dict(), **self.details, "options": settings}


def kind_of(word: str) -> str:
    """``cost``, ``costs`` and ``cost_models`` -> ``cost_models``.

    Raises:
        UnknownNameError: no kind is called so.
    """
    known = {k: k for k in KINDS} | SHORT
    known |= {singular(k): v for k, v in known.items()}
    found = known.get(word.lower().replace("-", "_"))
    if found is None:
        raise UnknownNameError("kind", word, [*KINDS, *SHORT])
    return found


def singular(kind: str) -> str:
    """``families`` -> ``family``."""
    return f"{kind[:-3]}y" if kind.endswith("ies") else kind.removesuffix("s")


def offers(host: Host, kind: str | None = None) -> list[Offered]:
    """Everything that is offered, or everything of one kind, by kind and name."""
    kinds = KINDS if kind is None else [kind_of(kind)]
    found = [_offered(host, k, entry) for k in kinds for entry in host.entries(k)]
    if "reductions" not in kinds:
        return found
    mine = user_reductions()  # these come first
    rest = [o for o in found if o.kind != "reductions" or o.name not in mine]
    own = [Offered("reductions", n, f"installed by you: {f}", "you") for n, f in mine.items()]
    return sorted([*rest, *own], key=lambda o: (list(kinds).index(o.kind), o.name))


def _offered(host: Host, kind: str, entry: Any) -> Offered:
    owner = host.owner(kind, entry.name).name
    aliases = tuple(getattr(entry, "aliases", ()))
    return Offered(kind, entry.name, entry.summary, owner, aliases)


def offer_facts(host: Host, kind: str, name: str) -> OfferFacts:
    """One offer of any kind, by name (a cost also as NAME@QUALIFIER).

    Raises:
        UnknownNameError, PluginError: nothing is offered under that name, or it is contested.
    """
    found = kind_of(kind)
    if found == "reductions" and name in (mine := user_reductions()):
        own = Offered(found, name, f"installed by you: {mine[name]}", "you")
        return OfferFacts(own, (), host.reduction(name).as_dict())
    base = name.partition("@")[0] if found == "cost_models" else name
    host.owner(found, base)  # raises with the nearest known names
    entry = next(e for e in host.entries(found) if e.name == base)
    details = _details(host, entry)
    return OfferFacts(_offered(host, found, entry), tuple(_settings(entry)), details)


def _details(host: Host, entry: Any) -> dict[str, Any]:
    """What only one kind of entry has."""
    found = {
        k: getattr(entry, k) for k in ("unit", "qualified", "exact", "example") if hasattr(entry, k)
    }
    if isinstance(entry, FittedPredictorEntry):
        found |= {
            k: getattr(entry, k) for k in ("predictor", "supernet", "dataset", "extrapolation")
        }
        return found | {"file": str(entry.file)}
    if isinstance(entry, WeightsEntry):
        keys = ("supernet", "layout", "addresses", "page", "size", "sha256")
        return found | {k: getattr(entry, k) for k in keys}
    if isinstance(entry, ReductionEntry):
        return found | entry.reduction.as_dict()
    if isinstance(entry, DeviceEntry):
        return found | {"here": _here(host, entry.name)}
    if any(entry is e for e in host.entries("predictors")):
        found["fitted"] = [
            {k: getattr(f, k) for k in ("supernet", "dataset", "origin", "extrapolation")}
            for f in host.entries("fitted_predictors")
            if f.predictor == entry.name
        ]
    return found


def _here(host: Host, device: str) -> dict[str, str] | str:
    """What a device says of itself with its usual options, or why it is not here."""
    try:
        return dict(host.device(device).build().describe())
    except OfaError as error:
        return f"no: {error.message}"


def _settings(entry: Any) -> Sequence[Setting]:
    target = (
        entry.row if isinstance(entry, SupernetFamilyEntry) else getattr(entry, "options", None)
    )
    if not isinstance(target, type) or not attrs.has(target):
        return ()
    attrs.resolve_types(target)
    return [_setting(a) for a in attrs.fields(target) if a.init]


def _setting(attribute: attrs.Attribute[Any]) -> Setting:
    required = attribute.default is attrs.NOTHING
    return Setting(
        attribute.name,
        type_label(attribute.type),
        None if required else _default(attribute.default),
        required,
        str(attribute.metadata.get("help", "")),
    )


def _default(value: Any) -> Any:
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]  # a class, typed as a function
        value = None if value.takes_self else value.factory()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [_default(v) for v in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def type_label(kind: Any) -> str:
    """A type as a user reads it: ``list of int``, ``one of exact, auto``."""
    origin, inside = get_origin(kind), [a for a in get_args(kind) if a is not Ellipsis]
    if origin is Literal:
        return "one of " + ", ".join(str(a) for a in inside)
    if origin in (Union, types.UnionType):
        named = [type_label(a) for a in inside if a is not type(None)]
        return " or ".join(dict.fromkeys(named))
    if origin in (tuple, list, set, frozenset) and inside:
        return f"list of {' or '.join(dict.fromkeys(map(type_label, inside)))}"
    return str(getattr(kind, "__name__", kind))

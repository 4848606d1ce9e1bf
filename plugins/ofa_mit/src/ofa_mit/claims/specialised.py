"""What the names of Once-for-All's specialised networks say, beside their configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ofa_mit.claims.searching import published
from ofa_mit.specialised import Specialised, run_specialised
from ofa_mit.specialised_options import SpecialisedOptions
from ofa_plugins_core import Checked, Comparison, InputError, JobContext
from ofa_plugins_core.jobs.choosing import cost_models
from ofa_plugins_core.jobs.options import PricedOptions
from ofa_plugins_core.tables import TableFolder

WIDE: Final = "ofa_mbv3_w1.2"
MOBILE: Final = 600.0
"""The mobile setting, million MACs."""
HALF: Final = 0.5
"""Names carry whole milliseconds and whole million MACs."""


def mobile_setting(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """MACs of the networks that are named for them."""
    found = _named_for_macs(context, files)
    macs = [_macs(context, n) for n in found]
    said = [_published(n) for n in found]
    best = max(n.label.top1.value for n in found if n.label.top1 is not None)
    return Checked(
        [
            *(
                Comparison(
                    f"{network.name}, at {network.arch.image_size} px",
                    ours,
                    published,
                    "million MACs",
                    within=HALF,
                    why=""
                    if network.size_from == "name"
                    else "its configuration says no image size, and none has the MACs of its name",
                )
                for network, ours, published in zip(found, macs, said, strict=True)
            ),
            Comparison(
                "the largest of them", max(macs), MOBILE, "million MACs", relation="at most"
            ),
            Comparison(
                "top-1 of the best, by its name", best, 80.0, "%", "published", relation="shown"
            ),
        ],
        "Accuracies are the names': evaluating needs weights and ImageNet.",
        "the image size, which the configurations do not say: the multiple of 4 with the MACs of "
        "the name",
    )


def _macs(context: JobContext, network: Specialised) -> float:
    supernet = context.host.supernet(WIDE).at([network.arch.image_size])
    cost = context.host.cost_model("flops").build(supernet)
    return float(cost.evaluate([network.arch.as_dict()])[0]) / 1e6


def _published(network: Specialised) -> float:
    assert network.label.flops is not None
    return network.label.flops.value / 1e6


def _named_for_macs(context: JobContext, files: Mapping[str, Path]) -> list[Specialised]:
    """By their MACs, increasing.

    Raises:
        InputError: there are none.
    """
    found = [n for n in _wide(context, files) if n.label.flops is not None]
    if not found:
        raise InputError(
            f"{files['specialised_networks']} holds no network that is named for its MACs",
            advice="for example flops-595M_top1-80.0_finetune-75",
        )
    return sorted(found, key=_published)


def _wide(context: JobContext, files: Mapping[str, Path]) -> Sequence[Specialised]:
    quiet = JobContext(context.host)  # what it assumes and leaves out is said here, not on stderr
    folder = files["specialised_networks"]
    return run_specialised(quiet, SpecialisedOptions(folder=folder, supernet=WIDE)).networks


def predictor_order(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The order of the networks whose image size is known, by predicted and by measured top-1."""
    found = _named_for_macs(context, files)
    supernet = context.host.supernet(WIDE).at(sorted({n.arch.image_size for n in found}))
    predictor = published(context, supernet, files["mit_predictor"])
    values = [float(v) for v in predictor.predict([n.arch.as_dict() for n in found]).value]
    measured = [0.0 if n.label.top1 is None else n.label.top1.value for n in found]
    why = (
        "its labels are accuracies on images held out of the training set; the names' are on "
        "ImageNet's validation set"
    )
    return Checked(
        [
            Comparison(
                "from the least to the most accurate",
                _ranking(found, values),
                _ranking(found, measured),
                kind="predicted",
                why="it has one input for 224 to 239 px: it takes a network at 236 for one at 224",
            ),
            *(
                Comparison(f"top-1 of {n.name}", ours, top1, "%", "predicted", "shown", why=why)
                for n, ours, top1 in zip(found, values, measured, strict=True)
            ),
        ],
        "Only the networks named for their MACs: of the others the image size is not known.",
    )


def _ranking(networks: Sequence[Specialised], top1: Sequence[float]) -> str:
    ranked = sorted(zip(top1, map(_published, networks), strict=True))
    return " < ".join(f"{macs:.0f}M" for _, macs in ranked)


def note10_latency(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Table latency of the networks made for the Note10, at the largest tabled image size."""
    made = [n for n in _wide(context, files) if n.label.device == "note10"]
    if not made:
        raise InputError(f"{files['specialised_networks']} holds no network of {WIDE} for note10")
    size = max(TableFolder.open(files["note10_tables"]).sizes)
    supernet = context.host.supernet(WIDE).at([size])
    asked = PricedOptions(supernet=WIDE, lut=(f"note10={files['note10_tables']}",))
    cost = cost_models(JobContext(context.host), asked, supernet, ["latency@note10"])
    made = sorted(made, key=_milliseconds)
    values = cost["latency@note10"].evaluate(
        [{**n.arch.as_dict(), "image_size": size} for n in made]
    )
    return Checked(
        [_priced(n, size, float(v)) for n, v in zip(made, values, strict=True)],
        "A network's latency is the sum of its rows. Networks of width 1.0 are left out: these "
        "tables are of width 1.2.",
        f"the image size, which the configurations do not say: {size} px, the largest that has a "
        "table, for every network",
    )


def _priced(network: Specialised, size: int, value: float) -> Comparison:
    said = _milliseconds(network)
    far = (
        f"the tables end at {size} px, and the network may have been made for a larger image, as "
        "the one of 595 million MACs was, for 236 px"
    )
    why = far if value < said else ""
    return Comparison(f"{network.name}, at {size} px", value, said, "ms", within=HALF, why=why)


def _milliseconds(network: Specialised) -> float:
    return 0.0 if network.label.latency is None else network.label.latency.value

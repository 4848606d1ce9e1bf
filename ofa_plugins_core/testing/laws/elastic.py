"""Laws of elastic networks in torch: (elastic module, its supernet, generator).

They work on copies in double precision with ten classes and small images, on weights that have
been shaken, so that no batch norm and no kernel matrix is the identity that it starts as.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.handing import absent_members
from ofa_plugins_core.interfaces import BuildableSupernet, ElasticModule, Subnet
from ofa_plugins_core.testing.laws import Law, demand, effects
from ofa_plugins_core.testing.laws.networks import as_dicts, drawn
from ofa_plugins_core.values import Genes

Rng = np.random.Generator
SIZES: Final = (32, 45, 50)
"""Image sizes in pixels: the smallest that is taken, an odd one, one not divisible by 4."""
SHAKE: Final = 0.05
SEED: Final = 20
CLOSE: Final = 1e-9
"""Of the largest logit, in double precision."""


def _archs(net: ElasticModule, generator: Rng, n: int = 3) -> list[dict[str, Any]]:
    """The smallest and the largest network and drawn ones, at sizes of their own."""
    return _sized(net, drawn(net.space, generator, n))


def _sized(net: ElasticModule, rows: Genes) -> list[dict[str, Any]]:
    found = as_dicts(net.space, rows)
    return [{**a, "image_size": SIZES[i % len(SIZES)]} for i, a in enumerate(found)]


def images(size: int, generator: Rng, n: int = 1) -> Any:
    """(n, 3, size, size) in double precision."""
    import torch

    return torch.from_numpy(generator.standard_normal((n, 3, size, size)))


def shaken(net: ElasticModule, generator: Rng) -> Any:
    """A copy in double precision and evaluation, with every tensor moved a little."""
    import torch

    copy: Any = deepcopy(net)
    copy = copy.double().eval()
    state = copy.published()
    for name, tensor in state.items():
        if tensor.is_floating_point():
            noise = torch.from_numpy(np.asarray(generator.standard_normal(tuple(tensor.shape))))
            moved = tensor + SHAKE * noise
            state[name] = moved.abs() if "var" in name else moved
    copy.load_published(state)
    return copy


_SHAKEN: Final[WeakKeyDictionary[Any, Any]] = WeakKeyDictionary()
"""Network -> its shaken copy: to make one takes as long as most laws."""


def shaken_once(net: Any) -> Any:
    """A copy of the shaken network, which is made once for all laws."""
    if net not in _SHAKEN:
        _SHAKEN[net] = shaken(net, np.random.default_rng(SEED))
    return deepcopy(_SHAKEN[net])


def run(module: Any, x: Any) -> Any:
    """Logits without gradients."""
    import torch

    with torch.no_grad():
        return module(x)


def demand_close(found: Any, expected: Any, what: str) -> None:
    """Demand logits equal to 1e-9 of the largest."""
    demand(found.shape == expected.shape, f"{what}: {tuple(found.shape)}, {tuple(expected.shape)}")
    worst = float((found - expected).abs().max() / expected.abs().max())
    demand(worst <= CLOSE, f"{what}: they differ by {worst:.1e} of the largest logit")


def extracted_is_active(net: Any, arch: dict[str, Any], x: Any) -> None:
    """Demand that one subnet computes the same, extracted and active, with gradients and without.

    Args:
        net: in evaluation.
        x: images.
    """
    net.activate(arch)
    subnet = net.extract(arch)
    active = run(net, x)
    demand_close(run(subnet, x), active, f"extracted against active, {arch}")
    demand_close(net(x).detach(), active, f"active, with gradients against without, {arch}")


# ---------------------------------------------------------------------------- the laws


def fills_the_protocols(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """It has everything of the Protocol, and what it extracts has, too.

    Give it what is said to be missing; ofa_plugins_core.interfaces.ElasticModule and Subnet list
    every member.
    """
    import torch

    demand(isinstance(net, torch.nn.Module), f"{type(net).__name__} is no torch.nn.Module")
    lacking = absent_members(net, ElasticModule)
    demand(not lacking, f"it has no {', '.join(lacking)}")
    subnet = net.extract(net.largest)
    demand(isinstance(subnet, torch.nn.Module), "extract gives no torch.nn.Module")
    lacking = absent_members(subnet, Subnet)
    demand(not lacking, f"what it extracts has no {', '.join(lacking)}")
    demand(net.space.genes == supernet.space.genes, "its space has other genes than its supernet's")


def extraction_keeps_the_function(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """An extracted network computes what the elastic one computes while it is active.

    Cut the same channels and kernel centres in extract() that forward() uses while the network is
    active, and copy the batch norm's numbers.
    """
    copy = shaken_once(net)
    for arch in _archs(copy, generator, 4):
        extracted_is_active(copy, arch, images(arch["image_size"], generator))


def batches_agree_with_single_images(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """In evaluation each image of a batch has the logits that it has alone.

    Use batch norm's running numbers in evaluation, and nothing else that joins images.
    """
    copy = shaken_once(net)
    x = images(SIZES[1], generator, 3)
    demand_close(run(copy, x), _stacked([run(copy, x[i : i + 1]) for i in range(3)]), "a batch")


def _stacked(parts: list[Any]) -> Any:
    import torch

    return torch.cat(parts)


def activation_leaves_no_trace(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """Activating others and returning gives the same bits; no weight changes.

    Let activate() choose, not write: slice weights in forward(), and leave the parameters alone.
    """
    import torch

    copy = shaken_once(net)
    archs = _archs(copy, generator, 3)
    x = images(SIZES[0], generator)
    before = copy.published()
    first = []
    for arch in archs:
        copy.activate(arch)
        first.append(run(copy, x))
    for arch, logits in zip(reversed(archs), reversed(first), strict=True):
        copy.activate(arch)
        demand(torch.equal(run(copy, x), logits), f"other bits after returning to {arch}")
        copy.extract(arch)
    after = copy.published()
    changed = [k for k in before if not torch.equal(before[k], after[k])]
    demand(not changed, f"weights were changed: {changed[:3]}")


def active_is_what_was_asked_for(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """``active`` says what runs, ``extract`` what was extracted, with its blocks.

    Keep the Arch in activate(), and take a subnet's blocks from as_built().geometry().blocks(arch).
    """
    copy = deepcopy(net)
    geometry = supernet.as_built().geometry()
    for arch in _archs(copy, generator):
        space = copy.space.with_resolutions([arch["image_size"]])
        (wanted,) = space.decode(space.encode([arch]))
        copy.activate(arch)
        demand(copy.active == wanted, f"active is {copy.active}, not {wanted}")
        subnet = copy.extract(arch)
        (said,) = space.decode(space.encode([subnet.arch]))
        demand(said == wanted, f"extracted is {said}, not {wanted}")
        mine, theirs = _shapes(subnet.blocks), _shapes(geometry.blocks(arch))
        demand(mine[:-1] == theirs[:-1], "its blocks are not those of the geometry")


def _shapes(blocks: Any) -> list[Any]:
    """All but the classifier's width, which is as many classes as were asked for."""
    return [block.ops for block in blocks]


def copies_are_independent(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """An extracted network shares no memory with the elastic one, and neither does a copy.

    Clone tensors in extract(); a slice shares its memory.
    """
    copy = shaken_once(net)
    for other in (copy.extract(_archs(copy, generator)[0]), deepcopy(copy)):
        own = {t.untyped_storage().data_ptr() for t in other.state_dict().values()}
        theirs = {t.untyped_storage().data_ptr() for t in copy.state_dict().values()}
        demand(not own & theirs, f"{len(own & theirs)} tensors are shared")


def counts_are_the_geometrys(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """An extracted network has the parameters, MACs and tensor sizes that its geometry computes.

    Build each layer from its op, and add no layer with weights that the geometry does not have.
    """
    for arch in _archs(net, generator, 4):
        subnet = net.extract(arch)
        demand_counted(subnet, images(arch["image_size"], generator).float())


def demand_counted(subnet: Any, x: Any) -> None:
    """Demand that what hooks see of a network is what its blocks say, layer by layer.

    Args:
        subnet: in single precision.
        x: one image of its size.
    """
    ops = [op for block in subnet.blocks for op in block.ops if op.role != "pool"]
    real = sum(p.numel() for p in subnet.parameters())
    computed = sum(op.params for op in ops)
    demand(real == computed, f"{real:,} parameters, computed: {computed:,}")
    seen = _seen(deepcopy(subnet).eval(), x)
    wanted = [(op.inputs, op.outputs, op.weights, op.macs) for op in ops]
    demand(len(seen) == len(wanted), f"{len(seen)} layers with weights, computed: {len(wanted)}")
    for op, found, computed_op in zip(ops, seen, wanted, strict=True):
        demand(
            found == computed_op,
            f"{op.name}: (inputs, outputs, weights, MACs) {found}, computed: {computed_op}",
        )


def _seen(module: Any, x: Any) -> list[tuple[int, int, int, int]]:
    """(inputs, outputs, weights, MACs) of each convolution and linear layer as it runs."""
    from torch import nn

    found: list[tuple[int, int, int, int]] = []

    def note(layer: Any, given: Any, out: Any) -> None:
        positions = out[0, 0].numel() if out.ndim == 4 else 1
        weights = layer.weight.numel()
        found.append((given[0].numel(), out.numel(), weights, weights * positions))

    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(note)
    run(module, x)
    return found


def files_round_trip(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """Written in any layout and loaded again it is the same network; so is a subnet.

    Write in published() every tensor that load_published() reads, in both layouts.
    """
    import torch

    copy = shaken_once(net)
    (arch,) = _archs(copy, generator)[-1:]
    x = images(arch["image_size"], generator)
    for layout in ("new", "old"):
        other: Any = deepcopy(net)
        other = other.double().eval()
        other.load_published(copy.published(layout))
        before, after = copy.published(), other.published()
        changed = [k for k in before if not torch.equal(before[k], after[k])]
        demand(not changed, f"{layout}: {changed[:3]} changed")
        one, two = copy.extract(arch), other.extract(arch)
        two.load_published(one.published(layout))
        demand_close(run(two, x), run(one, x), f"a subnet written in the layout {layout}")


def loading_is_strict(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """A missing, an unexpected and a misshapen tensor are refused by name; nothing is changed.

    Compare names and shapes first, raise InputError with the first that is wrong, and only then
    write.
    """
    import torch

    copy = deepcopy(net)
    state = copy.published()
    name = next(k for k, t in state.items() if t.ndim == 4)
    for broken in (
        {k: t for k, t in state.items() if k != name},
        {**state, "nonsense.weight": torch.zeros(3)},
        {**state, name: torch.zeros(1, 2, 3, 4)},
    ):
        moved = {k: t + 1 if t.is_floating_point() else t for k, t in broken.items()}
        try:
            copy.load_published(moved)
        except InputError as error:
            said = name if "nonsense.weight" not in broken else "nonsense.weight"
            demand(said in str(error), f"the message does not name {said}: {error}")
        else:
            demand(False, "a checkpoint that does not fit was loaded")
        same = all(torch.equal(t, state[k]) for k, t in copy.published().items())
        demand(same, "part of a checkpoint that was refused has been loaded")


def refuses_what_is_no_arch(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """What is not of the space is refused by ``activate`` and ``extract`` with an InputError.

    Encode the arch by the space before anything else: it raises InputError.
    """
    copy = deepcopy(net)
    good = _archs(copy, generator)[0]
    lists = [k for k, v in good.items() if isinstance(v, list)]
    for bad in (
        {},
        {**good, "image_size": 3},
        {**good, lists[0]: good[lists[0]][:-1]},
        {**good, lists[-1]: [99] * len(good[lists[-1]])},
        {**good, lists[0]: None, lists[-1]: "abc"},
    ):
        for call in (copy.activate, copy.extract):
            _refused(call, bad)


def _refused(call: Callable[[Any], Any], bad: dict[str, Any]) -> None:
    try:
        call(bad)
    except InputError:
        return
    demand(False, f"{bad} was taken for an architecture")


def sorting_keeps_the_largest(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """Sorting channels, in any phase, leaves the largest network's function.

    Put a layer's channels, its batch norm and the next layer's inputs into the same order.
    """
    copy = shaken_once(net)
    x = images(SIZES[1], generator)
    copy.activate(copy.largest)
    before = run(copy, x)
    for phase in range(3):
        copy.sort_channels(phase)
        demand_close(run(copy, x), before, f"the largest network after sorting, phase {phase}")


def statistics_are_written_where_they_belong(
    net: Any, supernet: BuildableSupernet, generator: Rng
) -> None:
    """A subnet's batch norm statistics, written into the supernet, are those it extracts.

    Write each mean and variance into the channels that extract() cuts for this arch.
    """
    import torch
    from torch import nn

    copy = shaken_once(net)
    arch = _archs(copy, generator)[-1]
    subnet = copy.extract(arch)
    norms = {n: m for n, m in subnet.named_modules() if isinstance(m, nn.BatchNorm2d)}
    found = {
        name: (torch.randn(m.num_features).double(), torch.rand(m.num_features).double() + 0.5)
        for name, m in norms.items()
    }
    copy.apply_statistics(arch, found)
    again = dict(copy.extract(arch).named_modules())
    for name, (mean, variance) in found.items():
        same = torch.equal(again[name].running_mean, mean)
        demand(same and torch.equal(again[name].running_var, variance), f"{name} has others")


def training_reaches_the_weights(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """In training the active subnet's gradients arrive, and only weights that it uses have any.

    Slice parameters in forward() without detaching or copying them, and leave batch norm in
    training mode.
    """
    copy = shaken_once(net).train()
    small = _archs(copy, generator)[0]
    copy.activate(small)
    before = {k: t.clone() for k, t in copy.published().items()}
    copy(images(64, generator, 4)).square().sum().backward()
    used = [p for p in copy.parameters() if p.grad is not None and bool((p.grad != 0).any())]
    demand(used, "no weight has a gradient")
    unused = sum(int((p.grad == 0).sum()) for p in used)
    demand(
        unused or len(used) < len(list(copy.parameters())), "every weight of the largest has one"
    )
    moved = [k for k, t in copy.published().items() if not bool((t == before[k]).all())]
    demand(moved, "batch norm's running statistics did not move")
    demand(all("running" in k or "num_batches" in k for k in moved), f"{moved[:3]} changed")


def building_is_repeatable(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """The same seed of torch gives the same fresh weights; the number of classes is kept.

    Draw fresh weights from torch's global generator alone, and make the classifier num_classes
    wide.
    """
    import torch

    states = []
    with torch.random.fork_rng(devices=[]):
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            built: Any = supernet.build(7)
            states.append(built.published())
    same = all(torch.equal(states[0][k], states[1][k]) for k in states[0])
    demand(same, "two builds from one seed differ")
    other = any(not torch.equal(states[0][k], states[2][k]) for k in states[0])
    demand(other, "builds from two seeds are equal")
    logits = run(built.eval(), images(SIZES[0], generator).float())
    demand(tuple(logits.shape) == (1, 7), f"7 classes give logits of shape {tuple(logits.shape)}")


def used(net: Any, supernet: BuildableSupernet, generator: Rng) -> None:
    """As jobs use it, but for training."""
    copy = deepcopy(net).eval()
    for arch in _archs(copy, generator):
        copy.activate(arch)
        run(copy, images(arch["image_size"], generator).float())
        copy.extract(arch)
    copy.load_published(copy.published())


no_other_randomness = effects.no_other_randomness(used)
supernet_stays = effects.supernet_stays(used)

LAWS: Final[tuple[Law, ...]] = (
    supernet_stays,  # first: what is changed once looks unchanged after that
    fills_the_protocols,
    extraction_keeps_the_function,
    batches_agree_with_single_images,
    activation_leaves_no_trace,
    active_is_what_was_asked_for,
    copies_are_independent,
    counts_are_the_geometrys,
    files_round_trip,
    loading_is_strict,
    refuses_what_is_no_arch,
    sorting_keeps_the_largest,
    statistics_are_written_where_they_belong,
    training_reaches_the_weights,
    building_is_repeatable,
    no_other_randomness,
)

"""What the jobs on networks in torch begin with: an elastic network with weights, and archs.

torch is imported when a network is loaded, and not before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import field, frozen

from ofa_plugins_core import weights
from ofa_plugins_core.entries import JobContext, Plugins
from ofa_plugins_core.errors import InputError, MissingExtraError, OfaError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import BuildableSupernet, ElasticModule, Subnet, Supernet
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.jobs.frontfiles import read_front
from ofa_plugins_core.jobs.torch_options import ArchOptions, NetworkOptions
from ofa_plugins_core.network_blame import asked, broken, built
from ofa_plugins_core.reduction.supernet import whole
from ofa_plugins_core.values import Arch, ArchLike, parse_arch

SYNTHETIC: Final = "synthetic"
MOST_ARCHS: Final = 100_000


@frozen(eq=False)
class Loaded:
    """An elastic network with weights.

    Attributes:
        supernet: torch-free.
        net: the network, in evaluation mode.
        classes: rows of its classifier.
        source: of its weights, for reports.
        synthetic: filled by a formula: its accuracy means nothing.
        new_head: the classifier is untrained: its accuracy means nothing either.
        file: of its weights, absolute; None where they are synthetic.
    """

    supernet: BuildableSupernet
    net: ElasticModule
    classes: int
    source: str
    synthetic: bool
    new_head: bool = False
    file: Path | None = None


@frozen(eq=False)
class OneSubnet:
    """An elastic network of whose architectures one has weights: a subnet that was continued alone.

    It is extracted as any other; all others are refused.

    Attributes:
        net: the elastic network; its own weights mean nothing.
        arch: which one, at any image size.
        state: name -> tensor, of the subnet.
        file: where it comes from. new_head: its classifier is left out.
    """

    net: ElasticModule
    arch: Arch
    state: Mapping[str, Any] = field(repr=False)
    file: Path
    new_head: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.net, name)

    def extract(self, arch: ArchLike) -> Subnet:
        """The subnet with its weights.

        Raises:
            InputError: another architecture is asked for, or the weights do not fit.
        """
        space = self.net.space
        sizes = {a.image_size for a in (self.arch, parse_arch(space, arch))}
        mine, asked = space.with_resolutions(sizes).encode([self.arch, arch])
        if (mine[1:] != asked[1:]).any():
            raise InputError(
                f"{self.file} holds one subnet, and another is asked for",
                advice="leave --archs out to take it; or give the supernet's weights",
            )
        found = self.net.extract(arch)
        found.load_published(self.state, new_head=self.new_head)
        return found


def needs_torch(what: str) -> None:
    """End here where torch is not installed, with the line that installs it.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("torch") is None:
        raise MissingExtraError(what, "ofa-plugins-core", "torch")


def buildable(supernet: Supernet) -> BuildableSupernet:
    """The supernet, if it can be built in torch.

    Raises:
        UsageError: it has no network in torch.
    """
    if not isinstance(supernet, BuildableSupernet):
        raise UsageError(f"{supernet.name} has no network in torch: its geometry is all there is")
    return supernet


def load_network(
    context: JobContext,
    options: NetworkOptions,
    classes: int | None = None,
    *,
    teacher: bool = False,
) -> Loaded:
    """Build a supernet's elastic network and fill it with weights.

    Args:
        options: which; weights: a file, a cached file by name, ``synthetic``, or None for what
            is cached for the supernet.
        classes: of the data set, for synthetic weights and for a new head; --classes wins.
        teacher: where no weights are named, take a static network's file.

    Raises:
        MissingExtraError: torch is not installed.
        InputError: there are no weights, or they are broken or of another network.
        UsageError: the classes do not fit; offers --new-head.
        PluginError: the supernet's network cannot be built or loaded; with blame.
    """
    needs_torch("a network in torch")
    supernet = buildable(context.host.supernet(options.supernet))
    if options.classes is not None and options.classes < 1:
        raise UsageError(f"--classes: expected a whole number from 1 up, found {options.classes}")
    if options.weights == SYNTHETIC:
        return _synthetic(context.host, supernet, options.classes or classes)
    return _from_file(
        context, options, supernet, weights_file(context, options, supernet, teacher), classes
    )


def _synthetic(host: Plugins, supernet: BuildableSupernet, classes: int | None) -> Loaded:
    from ofa_plugins_core.nn.checkpoints import synthetic_state

    net = built(host, supernet, classes)
    own = asked(host, supernet, "published()", net.published)
    dtype = next((t.dtype for t in own.values() if t.is_floating_point()), None)
    found = classes_in(host, supernet, own)
    if dtype is None or found is None:
        raise broken(host, supernet, "build(2) and build(3) publish no tensor of 2 and of 3 rows")
    state = synthetic_state({k: tuple(t.shape) for k, t in own.items()}, dtype)
    asked(host, supernet, "load_published()", net.load_published, state)
    source = "synthetic: filled by a formula, never trained"
    return Loaded(supernet, _evaluating(net), found, source, True)


def _from_file(
    context: JobContext,
    options: NetworkOptions,
    supernet: BuildableSupernet,
    path: Path,
    classes: int | None,
) -> Loaded:
    from ofa_plugins_core.nn.checkpoints import file_of, read_state

    host, state = context.host, read_state(path)
    own = _rows_of(host, supernet, path, state)
    wanted = options.classes or (classes if options.new_head else None) or own
    if wanted != own and not options.new_head:
        raise UsageError(
            f"{path} has a classifier for {own} classes, not {wanted}",
            advice="--new-head takes its other weights and starts an untrained classifier",
        )
    net = built(host, supernet, wanted)
    if (arch := own_arch(path, supernet)) is not None:
        net = OneSubnet(net, arch, state, path, options.new_head)
        asked(host, supernet, "load_published()", net.extract, arch)
    else:
        load = partial(net.load_published, new_head=options.new_head)
        asked(host, supernet, "load_published()", load, state)
    if anew := wanted != own:
        context.listener(Notice(f"the classifier for {wanted} classes is new: train it first"))
    file = file_of(path).resolve()
    return Loaded(supernet, _evaluating(net), wanted, str(path), False, anew, file)


def own_arch(path: Path, supernet: Supernet) -> Arch | None:
    """Of which subnet a file says that it holds the weights; None: it is of a whole supernet.

    Raises:
        InputError: the file is missing or broken, or the subnet is none of this supernet.
    """
    from ofa_plugins_core.nn.checkpoints import about_of

    said = about_of(path).get("arch")
    if said is None:
        return None
    arch = parse_arch(supernet.space, said)
    space = supernet.space.with_resolutions([arch.image_size])
    return space.decode(space.encode([arch]))[0]


def _evaluating(net: Any) -> ElasticModule:
    """In evaluation mode."""
    net.eval()
    found: ElasticModule = net
    return found


def classes_in(host: Plugins, supernet: BuildableSupernet, state: Mapping[str, Any]) -> int | None:
    """For how many classes the classifier of a checkpoint is; None where it has none.

    Where the published networks' names of a classifier are absent, the supernet is asked what it
    calls its own: whatever has a row a class.

    Raises:
        PluginError: its network cannot be built.
    """
    from ofa_plugins_core.nn.checkpoints import classes_of

    found = classes_of(state)
    if found is None:
        heads = _heads(host, supernet)
        found = next((int(state[k].shape[0]) for k in heads if k in state and state[k].ndim), None)
    return found


def _heads(host: Plugins, supernet: BuildableSupernet) -> list[str]:
    """Published names of tensors with a row a class, in both layouts."""
    few, more = (built(host, supernet, classes) for classes in (2, 3))
    found: list[str] = []
    for layout in ("new", "old"):
        try:
            two, three = (
                asked(host, supernet, "published()", net.published, layout) for net in (few, more)
            )
        except OfaError:  # no third party has to know the published networks' old names
            if layout == "new":
                raise
            continue
        found += [k for k in two if k in three and (_rows(two[k]), _rows(three[k])) == (2, 3)]
    return found


def _rows(tensor: Any) -> int:
    return int(tensor.shape[0]) if tensor.ndim else 0


def _rows_of(
    host: Plugins, supernet: BuildableSupernet, path: Path, state: Mapping[str, Any]
) -> int:
    found = classes_in(host, supernet, state)
    if found is None:
        raise InputError(
            f"{path} has no classifier that {supernet.name} knows",
            advice="is it one of these networks? `ofa weights list` names the published files",
        )
    return found


def weights_file(
    context: JobContext, options: NetworkOptions, supernet: Supernet, teacher: bool = False
) -> Path:
    """The file of weights that was asked for, or what is cached for the supernet.

    Raises:
        InputError: there is none.
    """
    if options.weights is None:
        return _usual(context, supernet, teacher)
    return find_weights(options.weights)


def find_weights(name: str, advice: str | None = None) -> Path:
    """A file of weights: by its path, or by the name of a cached one.

    Args:
        advice: where there is neither; None: what jobs take that run a network.

    Raises:
        InputError: there is neither.
    """
    path = Path(name)
    if path.exists():
        return path
    kept = weights.cached(name) if _is_name(name) else None
    if kept is None:
        said = f"no weights {name!r}: no such file, and none cached"
        raise InputError(said, advice=advice or _WAYS)
    return kept


def _is_name(text: str) -> bool:
    return re.fullmatch(r"\w[\w.=+-]*(/\w[\w.=+-]*)*", text) is not None


_WAYS: Final = (
    "three ways: --weights FILE; `ofa weights fetch NAME`, then --weights NAME; or "
    "--weights synthetic, to try things out"
)


def _usual(context: JobContext, supernet: Supernet, teacher: bool) -> Path:
    """What is cached for a supernet, the first that fits."""
    known = weights.for_supernet(context.host, whole(supernet).name)
    fitting = [f for f in known if (f.layout == "static") == teacher or f.layout == "own"]
    for file in fitting:
        if file.path is not None:
            context.listener(Notice(f"weights: {file.name}"))
            return file.path
    what = "a teacher of" if teacher else "weights for"
    names = f" (published: {', '.join(f.name for f in fitting)})" if fitting else ""
    raise InputError(f"{what} {supernet.name}: none cached{names}", advice=_WAYS)


# ------------------------------------------------------------------------------- archs


def chosen_archs(context: JobContext, options: ArchOptions, supernet: Supernet) -> list[Arch]:
    """The architectures that were asked for, in the order of their source.

    Raises:
        UsageError: none or several of --archs, --run, --random and --largest are given.
        InputError: a file is missing or broken; names the line.
    """
    given = {
        "--archs": options.archs is not None,
        "--run": options.run is not None,
        "--random": options.random is not None,
        "--largest": options.largest,
    }
    asked = [name for name, there in given.items() if there]
    if not asked and (own := _only_arch(options, supernet)) is not None:
        return [own]
    if len(asked) != 1:
        found = " and ".join(asked) or "none"
        raise UsageError(
            f"which architectures? found {found}",
            advice="give exactly one of --archs FILE, --run FOLDER, --random N, --largest",
        )
    if options.archs is not None:
        file = read_archs(options.archs, supernet)
        return file.supernet.space.decode(file.genes)
    if options.run is not None:
        return [c.arch for c in read_front(options.run, supernet)]
    return (
        [largest(supernet)] if options.random is None else _drawn(context, options.random, supernet)
    )


def _only_arch(options: ArchOptions, supernet: Supernet) -> Arch | None:
    """The architecture of weights that are of one subnet alone."""
    name = getattr(options, "weights", None)
    if name is None or not Path(name).is_file():
        return None
    return own_arch(Path(name), supernet)


def largest(supernet: Supernet) -> Arch:
    """The architecture with the last option of every gene."""
    last = (supernet.space.sizes - 1).astype(np.uint8)
    return supernet.space.decode(last[None])[0]


def _drawn(context: JobContext, count: int, supernet: Supernet) -> list[Arch]:
    if not 1 <= count <= MOST_ARCHS:
        raise UsageError(f"--random: expected 1 to {MOST_ARCHS:,}, found {count}")
    generator = np.random.Generator(np.random.PCG64(context.seed))
    return supernet.space.decode(supernet.space.sample(count, generator))

"""Small spaces, costs and predictors with every shape that exact search has to cope with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, Literal

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.interfaces import Predictions
from ofa_plugins_core.pricing import evaluate_separable
from ofa_plugins_core.separable import Factor, Separable, on_grid
from ofa_plugins_core.values import Constraint, Dimension, Gene, Genes, SearchSpace

Shape = Literal["mbconv", "coupled", "chained"]


@frozen(eq=False, slots=False)
class ToySupernet:
    """A supernet with a space and no geometry."""

    space: SearchSpace

    @property
    def name(self) -> str:
        return self.space.name

    @property
    def resolutions(self) -> tuple[int, ...]:
        return self.space.resolutions

    def at(self, resolutions: Sequence[int]) -> ToySupernet:
        return evolve(self, space=self.space.with_resolutions(resolutions))


@frozen(eq=False, slots=False)
class ToyCost:
    """Tables a size: a separable cost."""

    name: str
    space: SearchSpace
    tables: dict[int, Separable]
    unit: str = "items"
    kind: str = "computed"
    source: str | None = None

    def separable(self, size: int) -> Separable:
        return self.tables[size]

    def evaluate(self, archs: Any) -> NDArray[Any]:
        return evaluate_separable(self.space, self.separable, archs)


@frozen
class ToyLink:
    """accuracy = top - scale · exp(-score)."""

    top: float
    scale: float = 10.0

    def forward(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.top - self.scale * np.exp(-score)

    def inverse(self, accuracy: float) -> float:
        return float(-np.log((self.top - accuracy) / self.scale)) if accuracy < self.top else np.inf


@frozen(eq=False, slots=False)
class ToyPredictor:
    """An additive score under a link a size."""

    space: SearchSpace
    tables: dict[int, Separable]
    links: dict[int, ToyLink]
    name: str = "toy"
    source: str = "invented"

    @property
    def resolutions(self) -> tuple[int, ...]:
        return self.space.resolutions

    def separable(self, size: int) -> Separable:
        return self.tables[size]

    def link(self, size: int) -> ToyLink:
        return self.links[size]

    def predict(self, archs: Any) -> Predictions:
        genes = archs if isinstance(archs, np.ndarray) else self.space.encode(archs)
        score = evaluate_separable(self.space, self.separable, genes)
        value = np.zeros(len(genes))
        for index, size in enumerate(self.space.resolutions):
            rows = genes[:, 0] == index
            value[rows] = self.links[size].forward(score[rows])
        return Predictions(value, value - 1, value + 1, np.zeros(len(genes), bool))


@frozen(eq=False)
class Opaque:
    """Hides that a cost or predictor is separable."""

    inner: Any

    def __getattr__(self, name: str) -> Any:
        if name in ("separable", "link"):
            raise AttributeError(name)
        return getattr(self.inner, name)


def slots_space(
    stages: int = 2, slots: int = 2, options: int = 2, sizes: Sequence[int] = (64, 96)
) -> SearchSpace:
    """MBConv-like: a depth a stage, and for each slot a kernel and a ratio that it may not use."""
    genes: list[Gene] = []
    d, ks, e = [], [], []
    for stage in range(stages):
        d.append(len(genes) + 1)
        genes.append(Gene(f"d[{stage}]", tuple(range(1, slots + 1)), stage))
        for slot in range(slots):
            used = np.array(
                [[i if slot <= depth else 0 for i in range(options)] for depth in range(slots)]
            )
            for key, columns in (("ks", ks), ("e", e)):
                columns.append(len(genes) + 1)
                name = f"{key}[{len(columns) - 1}]"
                values = tuple(range(3, 3 + options))
                genes.append(Gene(name, values, stage, (d[-1],), used.astype(np.uint8)))
    dimensions = [Dimension("ks", tuple(ks)), Dimension("e", tuple(e)), Dimension("d", tuple(d))]
    return SearchSpace.of("toy_slots", sizes, genes, dimensions)


def coupled_space(
    stages: int = 3, options: int = 3, sizes: Sequence[int] = (64, 96)
) -> SearchSpace:
    """CompOFA-like: one gene a stage."""
    genes = [Gene(f"d[{s}]", tuple(range(2, 2 + options)), s) for s in range(stages)]
    return SearchSpace.of(
        "toy_coupled", sizes, genes, [Dimension("d", tuple(range(1, stages + 1)))]
    )


def chained_space(stages: int = 3, slots: int = 2, sizes: Sequence[int] = (64, 96)) -> SearchSpace:
    """ResNet-like: a width a stage that the next stage's first block reads too."""
    genes: list[Gene] = []
    w, d, e = [], [], []
    for stage in range(stages):
        w.append(len(genes) + 1)
        genes.append(
            Gene(
                f"w[{stage}]",
                (0, 1, 2),
                stage,
                (),
                np.array([0, 0, 2], np.uint8) if not stage else None,
            )
        )
        d.append(len(genes) + 1)
        genes.append(Gene(f"d[{stage}]", tuple(range(slots)), stage))
        for slot in range(slots):
            e.append(len(genes) + 1)
            used = np.array(
                [[i if slot <= depth else 0 for i in range(2)] for depth in range(slots)]
            )
            genes.append(Gene(f"e[{len(e) - 1}]", (1, 2), stage, (d[-1],), used.astype(np.uint8)))
    dimensions = [Dimension("d", tuple(d)), Dimension("e", tuple(e)), Dimension("w", tuple(w))]
    return SearchSpace.of("toy_chained", sizes, genes, dimensions)


SPACES: dict[Shape, Callable[[], SearchSpace]] = {
    "mbconv": slots_space,
    "coupled": coupled_space,
    "chained": chained_space,
}


def every(space: SearchSpace) -> Genes:
    """All networks of a small space, canonical, each once."""
    combinations = np.array(list(product(*(range(n) for n in space.sizes))), dtype=np.uint8)
    return np.unique(space.canonical(combinations), axis=0)


@lru_cache
def _every(name: str) -> Genes:
    """All networks of a toy; its space is the same whatever the seed."""
    return every(next(s for s in (make() for make in SPACES.values()) if s.name == name))


def _scopes(space: SearchSpace, chained: bool) -> list[tuple[int, ...]]:
    """Genes that a block reads: a slot's with its controls, and the width before it."""
    scopes: dict[tuple[int, ...], None] = {}
    before: int | None = None
    for group in space.groups:
        widths = [c for c in group if space.genes[c].name.startswith("w")]
        slots: dict[str, list[int]] = {}
        for column in group:
            gene = space.genes[column]
            slots.setdefault(gene.name.split("[")[1] if gene.controls else gene.name, []).append(
                column
            )
        for columns in slots.values():
            controls = {k for c in columns for k in space.genes[c].controls}
            linked = {before} if chained and before is not None else set()
            scopes[tuple(sorted({*columns, *controls, *widths, *linked}))] = None
        before = widths[0] if widths else None
    return list(scopes)


def random_quantity(
    space: SearchSpace,
    reduce: str,
    draw: Callable[[tuple[int, ...]], NDArray[Any]],
    chained: bool = False,
) -> Separable:
    """Random tables that give equal networks equal values, whatever their unused genes say."""
    factors = []
    for number, scope in enumerate(_scopes(space, chained)):
        shape = tuple(int(space.sizes[c]) for c in scope)
        table = draw(shape)
        points = np.array(list(np.ndindex(*shape)), dtype=np.uint8)
        full = np.zeros((len(points), len(space.genes)), dtype=np.uint8)
        full[:, scope] = points
        kept = space.canonical(full)[:, scope]
        terms = on_grid(table[tuple(kept.T)].reshape(shape))
        factors.append(Factor(f"block {number}", scope, terms))
    factors.append(Factor("head", (), on_grid(draw(()))))
    return Separable("sum" if reduce == "sum" else "max", tuple(factors))


@frozen(eq=False, slots=False)
class Toy:
    """A supernet with two sums, two maxima and a predictor, all drawn from one seed."""

    supernet: ToySupernet
    costs: dict[str, ToyCost]
    predictor: ToyPredictor
    sizes: tuple[int, ...] = field(default=())

    @cached_property
    def all(self) -> Genes:
        """Every network."""
        return _every(self.supernet.name)

    def values(self, genes: Genes) -> dict[str, NDArray[Any]]:
        """Every cost and the accuracy of the given networks."""
        found = {name: cost.evaluate(genes) for name, cost in self.costs.items()}
        return {**found, "accuracy": self.predictor.predict(genes).value}

    def feasible(self, constraints: Sequence[Constraint]) -> Genes:
        """Every network that meets the constraints, by trying all."""
        values = self.values(self.all)
        met = np.ones(len(self.all), dtype=bool)
        for constraint in constraints:
            met &= constraint.met(values[constraint.name])
        return self.all[met]


def toy(shape: Shape, seed: int, coarse: int = 50) -> Toy:
    """A random toy; ``coarse`` numbers a table entry can have (few: many ties)."""
    generator = np.random.default_rng(seed)
    space = SPACES[shape]()
    chained = shape == "chained"

    def whole(shape: tuple[int, ...]) -> NDArray[Any]:
        return np.asarray(generator.integers(0, coarse, size=shape))

    def real(shape: tuple[int, ...]) -> NDArray[Any]:
        return np.asarray(generator.integers(0, coarse, size=shape) / 8.0)

    def score(shape: tuple[int, ...]) -> NDArray[Any]:
        return np.asarray(generator.integers(-5, coarse, size=shape) / (8.0 * coarse))

    def tables(reduce: str, draw: Any) -> dict[int, Separable]:
        return {s: random_quantity(space, reduce, draw, chained) for s in space.resolutions}

    costs = {
        "memory": ToyCost("memory", space, tables("max", whole)),
        "flops": ToyCost("flops", space, tables("sum", whole)),
        "latency": ToyCost("latency", space, tables("sum", real), unit="ms"),
        "buffer": ToyCost("buffer", space, tables("max", whole)),
    }
    links = {s: ToyLink(75.0 + generator.integers(0, 3)) for s in space.resolutions}
    predictor = ToyPredictor(space, tables("sum", score), links)
    return Toy(ToySupernet(space), costs, predictor)


def plain_predictor(space: SearchSpace, seed: int = 0, gain: float = 1.0) -> ToyPredictor:
    """A believable additive predictor for a real supernet: later options are better, by less."""
    generator = np.random.default_rng(seed)
    base = {}
    for column, gene in enumerate(space.genes[1:], start=1):
        steps = generator.uniform(0.2, 1.0, size=len(gene.options)) * gain / len(space.genes)
        climb = np.concatenate([[0.0], np.cumsum(steps[1:] / np.arange(1, len(steps)))])
        scope = (*gene.controls, column)
        table = climb[gene.representatives()]
        ranked = sorted(range(len(scope)), key=scope.__getitem__)
        base[column] = Factor(
            gene.name, tuple(scope[i] for i in ranked), np.transpose(table, ranked)
        )
    tables, links = {}, {}
    for number, size in enumerate(space.resolutions):
        shake = generator.uniform(0.8, 1.2, size=len(space.genes))
        factors = tuple(
            Factor(f.name, f.genes, on_grid(f.table * shake[c])) for c, f in base.items()
        )
        tables[size] = Separable("sum", factors)
        links[size] = ToyLink(76.0 + 1.2 * number / max(1, len(space.resolutions)))
    return ToyPredictor(space, tables, links)

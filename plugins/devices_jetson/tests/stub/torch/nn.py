"""Layers that hold what they were made with."""

import os
import time
from pathlib import Path


def _power(milliwatts):
    root = os.environ.get("STUB_ROOT")
    if root:
        (Path(root) / "power").write_text(f"{milliwatts}\n")


class Weight:
    def normal_(self, mean, std):
        assert 0 < std < 2

    def zero_(self):
        pass


class Module:
    def __init__(self, *given, **named):
        self.given, self.named = given, named
        self.weight = Weight()
        self.bias = Weight() if named.get("bias") else None

    def eval(self):
        return self

    cuda = half = eval

    def __call__(self, x):
        _power(9500)
        time.sleep(float(os.environ.get("STUB_SECONDS", "0.0002")))
        _power(3500)
        return x


NAMES = "Sequential Conv2d Linear BatchNorm2d ReLU ReLU6 Hardswish Hardsigmoid Flatten"
for _name in [*NAMES.split(), "AdaptiveAvgPool2d", "MaxPool2d", "AvgPool2d"]:
    globals()[_name] = type(_name, (Module,), {})

"""What is judged of a written file: on given images, or on random ones where there are none."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from ofa_plugins_core.errors import InputError  # noqa: E402
from ofa_plugins_core.nn.checking import Checks  # noqa: E402

SIZE = 8


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


def given(n=3):
    """Images that are told from random ones by their range: 10 to 11."""
    return np.random.default_rng(1).uniform(10, 11, (n, 3, SIZE, SIZE)).astype(np.float32)


def runtime(network, *, on_given=1.0, on_random=1.0):
    """The network, its logits times a factor that depends on the images."""

    def run(images):
        factor = on_given if images.min() >= 10 else on_random
        with torch.no_grad():
            return factor * network(torch.from_numpy(images)).numpy()

    return run


def checks(*batches, strict=True):
    return Checks(SIZE, batches, (1, 2), "n.onnx", strict=strict)


class TestFloat:
    def test_given_images_alone_are_judged(self, network):
        """Batch norm that was measured on few images blows up rounding on images unlike them."""
        found = checks(given()).float_file(network, runtime(network, on_random=1.5), 1e-4)
        assert (found.inputs, found.relative) == (3, 0)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_random_ones_have_to_be_finite(self, network, value):
        with pytest.raises(InputError, match=r"n\.onnx is not kept: .*no finite numbers"):
            checks(given()).float_file(network, runtime(network, on_random=value), 1e-4)

    def test_random_ones_are_judged_where_none_are_given(self, network):
        for strict in (True, False):
            with pytest.raises(InputError, match=r"differs, in float, .*0\.5 .*0\.0001 is allowed"):
                checks(strict=strict).float_file(network, runtime(network, on_random=1.5), 1e-4)

    def test_given_ones_refuse_with_advice(self, network):
        with pytest.raises(InputError, match=r"by 0\.5 of its largest") as error:
            checks(given()).float_file(network, runtime(network, on_given=1.5), 1e-4)
        assert "--calibrate" in error.value.advice and "--tolerance" in error.value.advice

    def test_where_it_is_not_strict_it_is_noted(self, network):
        lenient = checks(given(), strict=False)
        found = lenient.float_file(network, runtime(network, on_given=1.5), 1e-4)
        assert found.relative == pytest.approx(0.5)
        (note,) = lenient.notes(found, 1e-4)
        assert "by 0.5 of its largest logit (--tolerance 0.0001)" in note

    def test_nothing_is_noted_of_a_file_within_the_tolerance(self, network):
        lenient = checks(given(), strict=False)
        assert lenient.notes(lenient.float_file(network, runtime(network), 1e-4), 1e-4) == ()

    def test_given_ones_are_cut_for_files_that_take_one(self, network):
        one = Checks(SIZE, [given()], (1, 1), "n.onnx")
        sizes = []

        def run(images):
            sizes.append(len(images))
            return runtime(network)(images)

        assert one.float_file(network, run, 1e-4).inputs == 3
        assert sizes == [1] * 5


class TestInt8:
    def test_noise_is_judged_on_given_images(self, network):
        run = runtime(network, on_random=2.0)
        assert checks(given()).int8_file(network, run, 60.0).inputs == 3
        with pytest.raises(InputError, match="dB are asked for"):
            checks().int8_file(network, run, 60.0)

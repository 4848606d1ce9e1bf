"""A hash of weights, whatever file they came in."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from dynamic_ofa.levels.weights import digest_of, short  # noqa: E402


@pytest.fixture(params=["pth", "safetensors"])
def file(request, net, tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / f"net.{request.param}"
    if request.param == "pth":
        torch.save({"state_dict": net.published()}, path)
    else:
        save_file(net.published(), path)
    return path


def test_every_file_of_the_same_weights_has_the_same_hash(net, file, weights_of):
    again = weights_of(weights=str(file), classes=None)
    assert digest_of(again) == digest_of(net)


def test_one_other_number_is_another_hash(net, weights_of):
    other = weights_of()
    with torch.no_grad():
        other.expand[0].weight[0, 0] += 1e-3
    assert digest_of(other) != digest_of(net)


def test_batches_that_were_counted_do_not_matter(net, weights_of):
    other = weights_of()
    other.stem[1].num_batches_tracked += 5
    assert digest_of(other) == digest_of(net)


def test_messages_show_its_beginning():
    assert short("0123456789abcdef") == "0123456789ab"
    assert short(None) == "unknown"

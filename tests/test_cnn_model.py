"""The network is the one of the description, number for number."""

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'sheetgen-backprop[cnn]'")

import torch
from torch import nn

from cnn.layers import parameter_shapes
from cnn.model import BatchNorm, DigitNetwork, normalised


def described() -> nn.Sequential:
    """The network of the description, written out in torch's own layers."""
    return nn.Sequential(
        *(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(12), nn.Dropout2d(0.1)),
        *(nn.Conv2d(12, 16, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(16), nn.MaxPool2d(2), nn.Dropout2d(0.1)),
        *(nn.Conv2d(16, 20, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(20), nn.Dropout2d(0.1)),
        *(nn.Conv2d(20, 28, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(28), nn.MaxPool2d(2), nn.Dropout2d(0.1)),
        *(nn.Conv2d(28, 24, 3), nn.ReLU(), nn.BatchNorm2d(24), nn.Dropout2d(0.1)),
        *(nn.Conv2d(24, 12, 3), nn.ReLU(), nn.BatchNorm2d(12)),
        *(nn.Flatten(), nn.Linear(108, 10)),
    )


def count(module: nn.Module) -> int:
    """Trainable parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters())


def test_it_has_19_822_parameters() -> None:
    """In total, and layer by layer."""
    network = DigitNetwork()
    assert count(network) == count(described()) == 19_822
    counted = [count(network.get_submodule(f"{kind}{place}")) for place in range(1, 7) for kind in ("conv", "norm")]
    assert counted == [120, 24, 1744, 32, 2900, 40, 5068, 56, 6072, 48, 2604, 24]
    assert count(network.linear) == 1090


def test_the_table_of_shapes_is_the_module_s() -> None:
    """What a reader without torch expects is what the module has; only torch's count of batches is left out."""
    network = DigitNetwork()
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items() if "num_batches" not in name}
    assert shapes == parameter_shapes()
    assert list(network.weights()) == list(parameter_shapes())


def test_it_computes_what_torch_s_layers_do() -> None:
    """With the same numbers in them, in training (running statistics too) and in use."""
    torch.manual_seed(1)
    ours, theirs = DigitNetwork(), described()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        mine.data = torch.randn_like(mine) * 0.2
        other.data = mine.data.clone()
    images = torch.randn(5, 1, 28, 28)
    for module in theirs:
        if isinstance(module, nn.Dropout2d):
            module.eval()
    assert torch.allclose(ours(images), theirs(images), atol=1e-5)
    ours.eval(), theirs.eval()
    assert torch.allclose(ours(images), theirs(images), atol=1e-5)


@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format], ids=["last", "first"])
def test_batch_normalisation_is_exact_to_rounding(memory_format: torch.memory_format) -> None:
    """Maps of a real batch's size, their gradients and the running statistics, against torch's in float64."""
    torch.manual_seed(2)
    images = torch.randn(128, 12, 28, 28).relu().contiguous(memory_format=memory_format)
    behind = torch.randn(128, 12, 28, 28).contiguous(memory_format=memory_format)
    ours, theirs = BatchNorm(12), nn.BatchNorm2d(12).double()
    for name, parameter in ours.named_parameters():
        parameter.data = torch.rand(12) + 0.5
        theirs.get_parameter(name).data = parameter.data.double()
    results = []
    for module, kind in ((ours, torch.float32), (theirs, torch.float64)):
        maps = images.detach().to(kind).requires_grad_()
        normal = module(maps)
        normal.backward(behind.to(kind))
        assert maps.grad is not None
        buffers = (module.running_mean, module.running_var)
        results.append([normal, maps.grad, *(parameter.grad for parameter in module.parameters()), *buffers])
    for mine, other in zip(*results, strict=True):
        assert (mine - other).norm() < 2e-6 * other.norm()


def test_masks_drop_whole_maps() -> None:
    """A mask of ones leaves the answer, one of zeros takes the images out of it."""
    network = DigitNetwork()
    images = torch.randn(2, 1, 28, 28)
    masks = [torch.ones(2, channels) for channels in (12, 16, 20, 28, 24)]
    assert torch.equal(network(images, masks), network(images))
    masks[4] *= 0
    dropped = network(images, masks)
    assert torch.allclose(dropped[0], dropped[1], atol=1e-6)


def test_weights_go_out_and_in_again() -> None:
    """load(weights()) gives the same answers; a missing tensor is refused."""
    one, other = DigitNetwork().eval(), DigitNetwork().eval()
    other.load(one.weights())
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(one(images), other(images))
    incomplete = one.weights()
    del incomplete["norm3.running_mean"]
    with pytest.raises(KeyError, match=r"norm3\.running_mean"):
        other.load(incomplete)


def test_pixels_are_normalised_as_usual_for_mnist() -> None:
    """(pixel / 255 - 0.1307) / 0.3081."""
    seen = normalised(torch.tensor([[[0, 255]]], dtype=torch.uint8))
    assert torch.allclose(seen, torch.tensor([[[[-0.42421296, 2.82148653]]]]))
    assert seen.shape == (1, 1, 1, 2)

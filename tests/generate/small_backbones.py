"""Backbones with few channels and random weights, so that nothing has to be fetched."""

from dataclasses import replace

import torch

from morphface.generate.networks import backbones


def narrow_vgg(monkeypatch, kind="vgg19"):
    """Make VGG narrow, as long as a test runs."""
    design = backbones.BACKBONES[kind]
    blocks = tuple((count, 4) for count, _ in design.blocks)
    monkeypatch.setitem(backbones.BACKBONES, kind, replace(design, blocks=blocks))


def random_weights(path, kind, seed=0):
    """Write weights of a backbone as training leaves them, drawn from a seed."""
    torch.manual_seed(seed)
    held = backbones.Backbone(kind).state_dict()
    torch.save({**held, "classifier.1.weight": torch.zeros(2, 2)}, path)
    return held

"""A clip that is learnt quickly: a coloured disc whose maps say where it is."""

import torch
from torch.utils.data import Dataset

from morphface.generate.config import GeneratorConfig
from morphface.generate.training import TrainSettings

CONFIG = GeneratorConfig(resolution=32, width=4, offsets=(-1, 0), dropout=0.0, norm="instance")
SETTINGS = TrainSettings(steps=6, batch=4, every=3, rate=1e-3)


class Discs(Dataset):
    """Maps of a disc that moves, and pictures of it."""

    def __init__(self, config=CONFIG, count=10):
        side = config.resolution
        rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        spots = torch.linspace(0.25, 0.75, count) * side
        far = (columns - spots[:, None, None]) ** 2 + (rows - side / 2) ** 2
        self.masks = (far < (side / 5) ** 2).float()
        self.config = config

    def __len__(self):
        return len(self.masks)

    def __getitem__(self, index):
        maps = [
            self.masks[max(index + offset, 0)].expand(9, -1, -1) * 2 - 1
            for offset in self.config.offsets
        ]
        tint = torch.tensor([0.8, -0.2, 0.4])[:, None, None]
        frame = torch.where(self.masks[index][None] > 0, tint, -tint)
        return {"window": torch.cat(maps), "frame": frame}

"""Training of generators: settings, steps, a loop that can be killed and resumed."""

from morphface.generate.training.loop import Observer, train_generator
from morphface.generate.training.settings import USUAL_SETTINGS, TrainSettings

__all__ = ["USUAL_SETTINGS", "Observer", "TrainSettings", "train_generator"]

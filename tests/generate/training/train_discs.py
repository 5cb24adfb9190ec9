"""Run by `accelerate launch` in as many processes as it is told: trains on the discs."""

import sys

from accelerate import PartialState

from morphface.generate.training import train_generator
from tests.generate.training.toy import CONFIG, SETTINGS, Discs

sys.stdout.write(f"one of {PartialState().num_processes}\n")
train_generator(CONFIG, Discs(), sys.argv[1], settings=SETTINGS)

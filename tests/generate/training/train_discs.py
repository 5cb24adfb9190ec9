"""Run by `accelerate launch` in as many processes as it is told: trains on the discs."""

import sys
from pathlib import Path

from accelerate import Accelerator

from morphface.generate.training import train_generator
from tests.generate.training.toy import CONFIG, SETTINGS, Discs

here = Accelerator()
Path(f"{sys.argv[1]}-{here.process_index}-of-{here.num_processes}").touch()
train_generator(CONFIG, Discs(), sys.argv[1], settings=SETTINGS)

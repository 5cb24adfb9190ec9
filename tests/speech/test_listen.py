import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.speech import RATE, Phoneme, find_recogniser, listen
from tests.speech.sounds import Told, silence, tone


def test_long_sound_is_heard_in_pieces_cut_in_its_pauses_and_dated_from_its_start():
    sound = torch.cat([tone(1.3), silence(0.2), tone(1.3), silence(0.2), tone(1.0)])
    told = Told()
    speech = listen(sound, told)
    assert len(told.heard) >= 2
    assert torch.equal(torch.cat(told.heard), sound)
    starts = [one.start for one in speech.phonemes]
    for start in starts[1:]:
        place = round(start * RATE)
        assert not sound[place - 400 : place + 400].any()
    assert speech.seconds == pytest.approx(len(sound) / RATE)


def test_blocks_are_heard_as_the_whole():
    sound = torch.cat([tone(1.3), silence(0.2), tone(1.3)])
    whole, blocks = Told(), Told()
    one, other = listen(sound, whole), listen(iter(sound.split(7_000)), blocks)
    assert one.phonemes == other.phonemes
    assert torch.equal(one.voice.loudness, other.voice.loudness)


def test_nothing_is_said_in_silence():
    class Twice(Told):
        def __call__(self, samples, text=None):
            return (Phoneme("a", 0.2, 0.4), Phoneme("b", 1.2, 1.4))

    sound = torch.cat([tone(0.8), silence(1.0)])
    assert [p.symbol for p in listen(sound, Twice()).phonemes] == ["a"]
    known = (Phoneme("a", 0.2, 0.4), Phoneme("b", 1.2, 1.4))
    assert listen(sound, known).phonemes == known


@pytest.mark.refusal
def test_what_cannot_be_heard_is_refused():
    with pytest.raises(ParameterError, match="no speech is heard in the sound"):
        listen(silence(1.0), Told())
    with pytest.raises(ParameterError, match="sound must have samples"):
        listen(torch.zeros(0), Told())
    with pytest.raises(ParameterError, match="sound must be finite"):
        listen(torch.tensor([0.0, torch.nan]), Told())
    with pytest.raises(ShapeError, match="sound must be one row of samples"):
        listen(torch.zeros(2, 100), Told())
    with pytest.raises(ParameterError, match="told takes no text"):
        listen(tone(1.0), Told(), text="hello")
    with pytest.raises(ParameterError, match="there is no recogniser 'ears'; use auto, hama"):
        find_recogniser("ears")

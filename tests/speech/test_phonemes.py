import pytest

from morphface.core.errors import MissingFileError, ParameterError
from morphface.speech import (
    Phoneme,
    arpabet_to_ipa,
    ipa_letters,
    ipa_to_arpabet,
    load_phonemes,
    save_phonemes,
)
from morphface.speech.phonemes import merged, shifted

ARPABET = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH"


@pytest.mark.parametrize("name", [*ARPABET.split(), *["UH", "UW", "V", "W", "Y", "Z", "ZH"]])
def test_arpabet_goes_to_ipa_and_back(name):
    assert ipa_to_arpabet(arpabet_to_ipa(name)) == (name,)
    assert arpabet_to_ipa(name.lower() + "1") == arpabet_to_ipa(name)


def test_marks_are_no_letters():
    assert ipa_letters("t͡ʃʰ") == "tʃ"
    assert ipa_letters("ˈɑː") == "ɑ"
    assert ipa_letters("õ") == "o"
    assert ipa_letters("ç") == "ç"
    assert ipa_letters("<unk>") == "unk"
    assert ipa_to_arpabet("?") == ()


def test_files_of_phonemes_read_back_and_say_arpabet_too(tmp_path):
    spoken = (Phoneme("m", 0.1, 0.25), Phoneme("aɪ", 0.25, 0.5))
    save_phonemes(tmp_path / "a.txt", spoken)
    assert load_phonemes(tmp_path / "a.txt") == spoken
    (tmp_path / "b.txt").write_text("0.1\t0.25\tM\n\\\t1\t2\n0.25\t0.5\tAY1\n0.5\t0.7\t\n")
    assert load_phonemes(tmp_path / "b.txt") == spoken


def test_merged_phonemes_do_not_overlap():
    one, two = Phoneme("a", 0.0, 0.5), Phoneme("b", 0.3, 0.6)
    assert merged([two, one, Phoneme("", 0.7, 0.8)]) == (Phoneme("a", 0.0, 0.3), two)
    assert [p.start for p in shifted([one], 1.5)] == [1.5]


@pytest.mark.refusal
def test_what_are_no_phonemes_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="phoneme 'a' must end after its start, got 1 s to 1"):
        Phoneme("a", 1.0, 1.0)
    with pytest.raises(MissingFileError, match="there is no file .* of phonemes"):
        load_phonemes(tmp_path / "a.txt")
    with pytest.raises(ParameterError, match="is no file of phonemes, which has lines"):
        load_phonemes(tmp_path)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(ParameterError, match="holds no phonemes"):
        load_phonemes(tmp_path / "a.txt")
    for line in ("now then a", "hello"):
        (tmp_path / "a.txt").write_text(f"0 1 a\n{line}\n")
        with pytest.raises(ParameterError, match="line 2 of .* must be start, end and symbol"):
            load_phonemes(tmp_path / "a.txt")

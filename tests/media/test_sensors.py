import pytest

from morphface.media.sensors import film_focal

# Crop factors as the makers give them, not as we compute them.
FACTORS = {
    1.0: [
        ("Canon", "Canon EOS 5D Mark III"),
        ("Canon", "Canon EOS 5DS R"),
        ("Canon", "Canon EOS 6D"),
        ("Canon", "Canon EOS-1D X Mark II"),
        ("Canon", "Canon EOS-1Ds Mark III"),
        ("Canon", "Canon EOS R5"),
        ("Canon", "Canon EOS RP"),
        ("NIKON CORPORATION", "NIKON D3S"),
        ("NIKON CORPORATION", "NIKON D700"),
        ("NIKON CORPORATION", "NIKON D800E"),
        ("NIKON CORPORATION", "NIKON Df"),
        ("SONY", "ILCE-7M3"),
        ("SONY", "SLT-A99V"),
    ],
    1.26: [("Canon", "Canon EOS-1D Mark II")],
    1.6: [
        ("Canon", "Canon EOS 7D Mark II"),
        ("Canon", "Canon EOS 60D"),
        ("Canon", "Canon EOS 1000D"),
        ("Canon", "Canon EOS D60"),
        ("Canon", "Canon EOS REBEL T3i"),
        ("Canon", "Canon EOS DIGITAL REBEL XT"),
        ("Canon", "Canon EOS Kiss X4"),
        ("Canon", "Canon EOS M50"),
        ("Canon", "Canon EOS R10"),
    ],
    1.53: [
        ("NIKON CORPORATION", "NIKON D90"),
        ("NIKON CORPORATION", "NIKON D300S"),
        ("NIKON CORPORATION", "NIKON D5600"),
        ("NIKON CORPORATION", "NIKON D7100"),
        ("SONY", "DSLR-A700"),
        ("SONY", "NEX-5N"),
        ("SONY", "ILCE-6000"),
        ("FUJIFILM", "X-T1"),
        ("FUJIFILM", "FinePix X100"),
        ("PENTAX", "PENTAX K-5"),
        ("PENTAX Corporation", "PENTAX K10D"),
        ("SAMSUNG", "NX300"),
    ],
    2.0: [
        ("OLYMPUS IMAGING CORP.", "E-PL5"),
        ("OLYMPUS CORPORATION", "E-M1MarkII"),
        ("OLYMPUS IMAGING CORP.", "E-420"),
        ("Panasonic", "DMC-GF1"),
        ("Panasonic", "DC-GH5"),
    ],
    2.73: [
        ("SONY", "DSC-RX100M3"),
        ("Canon", "Canon PowerShot G7 X"),
        ("NIKON CORPORATION", "NIKON 1 J1"),
        ("SAMSUNG", "NX mini"),
    ],
    4.6: [("Canon", "Canon PowerShot G12")],
}
CAMERAS = [(factor, *names) for factor, cameras in FACTORS.items() for names in cameras]


@pytest.mark.parametrize(("factor", "make", "model"), CAMERAS)
def test_crop_factors_are_those_that_makers_give(factor, make, model):
    assert film_focal(make, model, 20.0) == pytest.approx(20.0 * factor, rel=0.02)


@pytest.mark.parametrize(
    ("model", "focal", "film"), [("iPhone 6", 4.15, 29.0), ("iPhone 5s", 4.15, 29.0)]
)
def test_phones_have_the_equivalents_that_they_write_elsewhere(model, focal, film):
    assert film_focal("Apple", model, focal) == pytest.approx(film, rel=0.03)


@pytest.mark.parametrize(
    ("make", "model", "focal"),
    [
        ("", "", 50.0),
        ("Apple", "iPhone 6", 2.65),  # the front camera has another sensor
        ("Apple", "iPhone 14 Pro", 6.86),
        ("Canon", "Canon EOS R5m2", 50.0),  # a name of another kind than known
        ("Canon", "Canon PowerShot G3", 10.0),
        ("PENTAX", "PENTAX K-1 Mark II", 50.0),
        ("OLYMPUS OPTICAL CO.,LTD", "E-10", 10.0),
        ("OLYMPUS OPTICAL CO.,LTD", "E-100RS", 10.0),
        ("FUJIFILM", "FinePix XP100", 5.0),
        ("FUJIFILM", "X-S1", 10.0),
    ],
)
def test_what_is_not_sure_is_unknown(make, model, focal):
    assert film_focal(make, model, focal) is None

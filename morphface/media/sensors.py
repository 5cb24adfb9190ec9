"""How much smaller than 35-mm film is the sensor of a camera that EXIF names?

Families stand here only where all of their members have sensors of one size, to a few per cent;
newer cameras write the 35-mm equivalent themselves. Sizes are those of the makers' data sheets
as collected in `sensor_data.json` and `sensor_data_detailed.json` of OpenSfM
(github.com/mapillary/OpenSfM at 238744c, Simplified BSD), for phones the width of a 4:3 sensor.
"""

import math
import re

from morphface.geometry.focal import FILM_DIAGONAL

__all__ = ["film_focal"]

_SIZES = {  # width and height in millimetres
    "full frame": (35.9, 24.0),  # Canon EOS 5D, 6D, -1D X; Nikon D3 to D4, D600 to D810; Sony 7
    "APS-H": (28.7, 19.1),  # Canon EOS-1D, -1D Mark II
    "Canon APS-C": (22.3, 14.9),  # EOS 500D, 60D, 7D, M; older ones 22.2 to 22.7
    "APS-C": (23.5, 15.6),  # Nikon DX, Sony DSLR-A and NEX, Fujifilm X, Pentax K, Samsung NX
    "four thirds": (17.3, 13.0),  # Olympus E and PEN, Panasonic G
    "1 inch": (13.2, 8.8),  # Nikon 1, Sony RX100, Canon G7 X and G9 X, Samsung NX mini
    "1/1.7 inch": (7.53, 5.64),  # Canon G9 to G16
    "iPhone 4S": (4.57, 3.43),  # also 5
    "iPhone 5S": (4.89, 3.67),  # also 6, 6 Plus
    "1/3.2 inch": (4.54, 3.41),  # Galaxy S2 and S3, Nexus 5
}

# Patterns of maker and model, in lower case, one after the other; the first that fits counts.
_CAMERAS = (
    (r"canon eos (5ds?|6d|r|rp|r[13568])\b|canon eos-1(ds|d x|d c)", "full frame"),
    (r"canon eos-1d( mark ii( n)?)?$", "APS-H"),
    (r"canon eos (\d{2,4}da?|7d|d[36]0|m\d*|r7|r10|r50|r100)\b", "Canon APS-C"),
    (r"canon eos (digital )?(rebel|kiss)", "Canon APS-C"),
    (r"canon powershot g(9|1[01256])$", "1/1.7 inch"),
    (r"canon powershot g[79] x", "1 inch"),
    (r"nikon (d(3[sx]?|4s?|5|6|6[01]0|7[058]0|8[015]0[ae]?)|df)$", "full frame"),
    (r"nikon d(1[hx]?|2[hx]s?|40x?|[5-9]0|70s|[1235]00s?|[357][0-6]00)$", "APS-C"),
    (r"nikon 1 [jsv]", "1 inch"),
    (r"sony (dslr-a(850|900)|slt-a99v?|ilce-[79])", "full frame"),
    (r"sony (dslr-a\d{3}|slt-a[3-7]\d|nex-[3-7]|ilce-[356]\d{3})", "APS-C"),
    (r"sony dsc-rx100", "1 inch"),
    (r"fujifilm (finepix )?x(100|-(a|e|h|m|pro|t)\d)", "APS-C"),
    (r"pentax (k-(?!1\b)|k\d+d|\*ist d)", "APS-C"),
    (r"olympus.* e-(m\d|p[lm]?\d|[135]$|30$|[3-6]\d0$)", "four thirds"),
    (r"panasonic (dmc|dc)-g[fhmx]?\d", "four thirds"),
    (r"samsung nx\d", "APS-C"),
    (r"samsung nx mini", "1 inch"),
)
_PHONES = (
    (r"apple iphone (4s|5)$", "iPhone 4S"),
    (r"apple iphone (5s|6|6 plus)$", "iPhone 5S"),
    (r"samsung gt-i9[13]00$|lge nexus 5$", "1/3.2 inch"),
)
_FRONT = 3.5  # mm: lenses behind these phones are longer, those of their front cameras shorter


def film_focal(make: str, model: str, focal: float) -> float | None:
    """The 35-mm equivalent of a lens by the diagonal, in millimetres; None for unknown cameras.

    Args:
        make: as EXIF has it.
        model: as EXIF has it.
        focal: length of the lens in millimetres.
    """
    name = f"{make.strip()} {model.strip()}".lower()
    table = _CAMERAS if focal < _FRONT else _CAMERAS + _PHONES
    for pattern, size in table:
        if re.search(pattern, name):
            return focal * FILM_DIAGONAL / math.hypot(*_SIZES[size])
    return None

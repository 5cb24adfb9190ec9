"""Colours of human skin from its pigments: what `reflectance.py` takes skin to be.

Skin is two layers (Jacques 1998, "Skin optics", Oregon Medical Laser Center News): an epidermis
whose melanin absorbs on the way in and out, over a dermis whose blood absorbs and whose collagen
scatters, with the diffuse reflectance of Farrell, Patterson and Wilson (1992, Medical Physics 19,
equation 15 at zero distance, integrated). Spectra become sRGB values under equal energy by the
colour matching functions of Wyman, Sloan and Shirley (2013, JCGT 2(2)).

    python assets/open_head/pigments.py

prints the statistics and the range of the individual typology angle of the population (Chardon,
Cretois and Hourseau 1991: above 55 degrees very light, below -30 dark).
"""

from dataclasses import dataclass

import numpy as np

LIGHTEST, DARKEST = 0.013, 0.43
"""Volume fraction of melanin in the epidermis, of the lightest and the darkest (Jacques 1998)."""
BLOOD = (0.004, 0.024)
"""Volume fraction of blood in the dermis of faces: it is several times that of the arm's."""
YELLOW = (0.0, 0.4)
"""Absorption of carotene and bilirubin at 460 nm, per centimetre."""
EPIDERMIS = 0.006  # thickness in centimetres
SURFACE = 0.028  # share of light that the surface sends back, at an index of 1.4 (Fresnel)
SATURATION = 0.7
COUNT, SEED = 4000, 20263

# Molar extinction of oxygenated and deoxygenated haemoglobin, cm-1/M, each 10 nm from 400 to 700:
# Prahl (1999), Optical absorption of hemoglobin, tabulated after Gratzer and Kollias
OXYGENATED = np.array(
    [266232, 466840, 480360, 246072, 102580, 62816, 44480, 33209, 26629, 23684, 20932]
    + [20035, 24202, 39957, 53236, 43016, 32613, 44496, 50104, 14401, 3200]
    + [1506, 942, 610, 442, 368, 319, 294, 277, 276, 290],
    float,
)
DEOXYGENATED = np.array(
    [223296, 303956, 407560, 528600, 413280, 103292, 23389, 16156, 14550, 16684, 20862]
    + [25774, 31590, 39036, 46592, 53412, 53788, 45072, 37020, 28324, 14677]
    + [9444, 6510, 5149, 4345, 3750, 3227, 2795, 2408, 2052, 1794],
    float,
)
WAVELENGTHS = np.arange(400.0, 701.0, 10.0)


@dataclass(frozen=True)
class Skin:
    """Skins, one an entry of each.

    Args:
        melanin: volume fraction in the epidermis.
        blood: volume fraction in the dermis.
        yellow: absorption of carotene at 460 nm, per centimetre.
    """

    melanin: np.ndarray
    blood: np.ndarray
    yellow: np.ndarray


def reflectance(skin: Skin) -> np.ndarray:
    """Spectra of diffuse reflectance, n x 31."""
    w = WAVELENGTHS
    base = 0.244 + 85.3 * np.exp(-(w - 154) / 66.2)
    melanin = skin.melanin[:, None]
    absorbed = melanin * 6.6e11 * w**-3.33 + (1 - melanin) * base
    through = np.exp(-EPIDERMIS * absorbed)
    oxygen = SATURATION * OXYGENATED + (1 - SATURATION) * DEOXYGENATED
    blood = skin.blood[:, None] * 2.303 * oxygen * 150 / 64500
    carotene = skin.yellow[:, None] * np.exp(-0.5 * ((w - 460) / 30) ** 2)
    dermis = _diffuse(blood + carotene + base, 2e5 * w**-1.5 + 2e12 * w**-4)
    return SURFACE + (1 - SURFACE) * through**2 * dermis


def _diffuse(absorption: np.ndarray, scattering: np.ndarray) -> np.ndarray:
    """Of a half-space with the refraction of tissue, from coefficients per centimetre."""
    inside = 0.53  # share that is reflected back at the surface, at an index of 1.4
    k = (1 + inside) / (1 - inside)
    albedo = scattering / (absorption + scattering)
    root = np.sqrt(3 * (1 - albedo))
    return albedo / 2 * (1 + np.exp(-4 / 3 * k * root)) * np.exp(-root)


def xyz_of(spectra: np.ndarray) -> np.ndarray:
    """Tristimulus values, of which a perfect white has Y = 1."""
    w = WAVELENGTHS

    def lobe(centre: float, low: float, high: float) -> np.ndarray:
        return np.exp(-0.5 * ((w - centre) * np.where(w < centre, low, high)) ** 2)

    x = 0.362 * lobe(442.0, 0.0624, 0.0374) + 1.056 * lobe(599.8, 0.0264, 0.0323)
    x -= 0.065 * lobe(501.1, 0.0490, 0.0382)
    y = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    z = 1.217 * lobe(437.0, 0.0845, 0.0278) + 0.681 * lobe(459.0, 0.0385, 0.0725)
    matching = np.stack([x / x.sum(), y / y.sum(), z / z.sum()], axis=1)
    return spectra @ matching  # of which white is (1, 1, 1), whatever the light


def srgb_of(xyz: np.ndarray) -> np.ndarray:
    """Picture values, of which a perfect white has 1 in each channel."""
    white = np.array([0.9505, 1.0, 1.089])
    matrix = np.array(
        [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    )
    linear = (xyz * white @ matrix.T).clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def typology(xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """CIELAB lightness, and the individual typology angle in degrees."""
    root = np.cbrt(xyz)
    lightness, yellow = 116 * root[:, 1] - 16, 200 * (root[:, 1] - root[:, 2])
    return lightness, np.rad2deg(np.arctan2(lightness - 50, yellow))


def population() -> Skin:
    """People of the whole range: melanin even in its logarithm, the rest even."""
    draw = np.random.default_rng(SEED).uniform(size=(3, COUNT))
    low, high = np.log(LIGHTEST), np.log(DARKEST)
    return Skin(
        np.exp(low + (high - low) * draw[0]),
        BLOOD[0] + (BLOOD[1] - BLOOD[0]) * draw[1],
        YELLOW[0] + (YELLOW[1] - YELLOW[0]) * draw[2],
    )


def tones() -> tuple[np.ndarray, np.ndarray]:
    """Mean sRGB values of people's skin, and what one standard deviation adds of each pigment.

    The rows are those of least squares over the population: the logarithm of melanin, blood and
    carotene. They are independent there.
    """
    skin = population()
    colours = srgb_of(xyz_of(reflectance(skin)))
    pigments = np.stack([np.log(skin.melanin), skin.blood, skin.yellow], axis=1)
    pigments = (pigments - pigments.mean(0)) / pigments.std(0)
    return colours.mean(0), np.linalg.lstsq(pigments, colours - colours.mean(0), rcond=None)[0]


def main() -> None:
    """Print the statistics."""
    mean, axes = tones()
    print("mean", mean.round(3))
    print(axes.round(3))
    for melanin in (LIGHTEST, 0.03, 0.063, 0.11, 0.16, 0.25, DARKEST):
        one = Skin(np.array([melanin]), np.array([np.mean(BLOOD)]), np.array([np.mean(YELLOW)]))
        xyz = xyz_of(reflectance(one))
        lightness, angle = typology(xyz)
        print(f"melanin {melanin:.3f}: {srgb_of(xyz)[0].round(3)} L* {lightness[0]:.0f}", end=" ")
        print(f"typology angle {angle[0]:.0f}")


if __name__ == "__main__":
    main()

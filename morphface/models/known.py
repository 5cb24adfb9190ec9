"""Models that others publish: where each is to be had, and under which licence.

None of them ships with morphface. What is said about licences is a pointer to their texts, which
alone count.
"""

from dataclasses import dataclass

__all__ = ["KNOWN", "Download", "KnownModel", "find_known"]


@dataclass(frozen=True)
class Download:
    """A file that anybody may fetch.

    Args:
        url: where from.
        sha256: of the file that morphface was tried with.
    """

    url: str
    sha256: str

    @property
    def name(self) -> str:
        """Of the file."""
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True)
class KnownModel:
    """A published morphable model.

    Args:
        name: by which `load_model` finds it, once its file is there.
        title: what it is.
        licence: in a few words.
        commercial: whether its licence allows commercial use.
        url: where its licence is read and the file is to be had.
        files: any one of these, in the folder for models, is the model.
        reader: the module of `models.readers` that reads it.
        companions: further files that the reader takes as options: the option, such as
            "expression", and the names. Those that lie beside the model are used.
        downloads: what can be fetched without registration; none for most.
        aliases: further names.
        folder: whether the model is a folder of files, of which `files` are some.
    """

    name: str
    title: str
    licence: str
    commercial: bool
    url: str
    files: tuple[str, ...]
    reader: str
    companions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    downloads: tuple[Download, ...] = ()
    aliases: tuple[str, ...] = ()
    folder: bool = False


_BASEL = "non-commercial research, after registration"
_FLAME = "non-commercial research, after registration"
_FLAME_FILES = (
    ("texture", ("FLAME_texture.npz",)),
    ("landmarks", ("flame_static_embedding.pkl", "flame_dynamic_embedding.npy")),
)
_FLAME_URL = "https://flame.is.tue.mpg.de/download.php"
_EOS = "https://raw.githubusercontent.com/patrikhuber/eos/v1.5.0/share"

KNOWN = (
    KnownModel(
        name="bfm2009",
        title="Basel Face Model 2009, 199 shape and 199 colour components",
        licence=_BASEL,
        commercial=False,
        url="https://faces.dmi.unibas.ch/bfm/index.php?nav=1-2&id=downloads",
        files=("01_MorphableModel.mat",),
        reader="bfm2009",
        companions=(("expression", ("Exp_Pca.bin",)),),
    ),
    KnownModel(
        name="bfm2017",
        title="Basel Face Model 2017, with 100 expression components",
        licence=_BASEL,
        commercial=False,
        url="https://faces.dmi.unibas.ch/bfm/bfm2017.html",
        files=("model2017-1_bfm_nomouth.h5", "model2017-1_face12_nomouth.h5"),
        reader="bfm_hdf5",
    ),
    KnownModel(
        name="bfm2019",
        title="Basel Face Model 2019, with 100 expression components",
        licence=_BASEL,
        commercial=False,
        url="https://faces.dmi.unibas.ch/bfm/bfm2019.html",
        files=("model2019_bfm.h5", "model2019_face12.h5", "model2019_fullHead.h5"),
        reader="bfm_hdf5",
        aliases=("bfm",),
    ),
    KnownModel(
        name="bfm-front",
        title="Basel Face Model 2009 cropped to 35,709 vertices, 80/64/80 components",
        licence=_BASEL,
        commercial=False,
        url="https://github.com/sicxu/Deep3DFaceRecon_pytorch#prepare-prerequisite-models",
        files=("BFM_model_front.mat",),
        reader="bfm_front",
    ),
    KnownModel(
        name="lsfm",
        title="Large Scale Facial Model, identities of nearly 10,000 people",
        licence="non-commercial research, on request; commercial terms apart",
        commercial=False,
        url="https://xip.uclb.com/product/lsfm",
        files=("all_all_all.mat", "lsfm.mat", "lsfm.pkl"),
        reader="lsfm",
        companions=(("expression", ("lsfm_exp_30.dat",)),),
    ),
    KnownModel(
        name="3ddfa",
        title="3DDFA's part of the Basel Face Model 2009, 40/10 components",
        licence="the code is MIT; the data are the Basel Face Model's, for research",
        commercial=False,
        url="https://github.com/cleardusk/3DDFA_V2",
        files=("bfm_noneck_v3.pkl",),
        reader="tddfa",
    ),
    KnownModel(
        name="flame2023",
        title="FLAME 2023, articulated head with a revised eye region",
        licence=_FLAME,
        commercial=False,
        url=_FLAME_URL,
        files=("flame2023.pkl", "flame2023_no_jaw.pkl"),
        reader="flame",
        companions=_FLAME_FILES,
        aliases=("flame",),
    ),
    KnownModel(
        name="flame2023-open",
        title="FLAME 2023 Open, articulated head",
        licence="CC BY 4.0, after registration",
        commercial=True,
        url=_FLAME_URL,
        files=("flame2023_Open.pkl",),
        reader="flame",
        companions=_FLAME_FILES,
    ),
    KnownModel(
        name="flame2020",
        title="FLAME 2020 (2017 has the same file names), articulated head",
        licence=_FLAME,
        commercial=False,
        url=_FLAME_URL,
        files=("generic_model.pkl", "female_model.pkl", "male_model.pkl"),
        reader="flame",
        companions=_FLAME_FILES,
        aliases=("flame2017",),
    ),
    KnownModel(
        name="gnm",
        title="GNM Head v3, learned from scans: recommended where accuracy counts; no colours",
        licence="Apache-2.0",
        commercial=True,
        url="https://huggingface.co/google/gnm-v3",
        files=("gnm_head.npz",),
        reader="gnm",
    ),
    KnownModel(
        name="3ddfa-v3",
        title="3DDFA-V3's part of the Basel Face Model 2009, 80/64/80 components",
        licence="the code is MIT; the data are the Basel Face Model's, for research",
        commercial=False,
        url="https://github.com/wang-zidu/3DDFA-V3/tree/main/assets",
        files=("face_model.npy",),
        reader="tddfa_v3",
    ),
    KnownModel(
        name="ict",
        title="ICT-FaceKit, 100 identities, 53 expressions, eyeballs, teeth",
        licence="MIT (the light model of the repository)",
        commercial=True,
        url="https://github.com/ICT-VGL/ICT-FaceKit",
        files=("FaceXModel", "ICT-FaceKit", "ict_facekit.npz"),
        reader="ict",
        folder=True,
    ),
    KnownModel(
        name="surrey",
        title="Surrey Face Model, shape only, 3,448 vertices",
        licence="non-commercial use only; the model with colour on request",
        commercial=False,
        url="https://github.com/patrikhuber/eos#sample-code",
        files=("sfm_shape_3448.bin", "sfm_3448.bin"),
        reader="surrey",
        companions=(
            ("expression", ("expression_blendshapes_3448.bin",)),
            ("landmarks", ("ibug_to_sfm.txt",)),
        ),
        downloads=(
            Download(
                f"{_EOS}/sfm_shape_3448.bin",
                "43750338ae533e7fb981e924b6f67ebde3d292f15ec4fc886ae5af14308ad980",
            ),
            Download(
                f"{_EOS}/expression_blendshapes_3448.bin",
                "a77c81712fc5e8b08a1be4cd2824d51514e5bde6578109ae5240dfb3489efd43",
            ),
        ),
        aliases=("sfm",),
    ),
)


def find_known(name: str) -> KnownModel | None:
    """The published model of this name or alias, or None."""
    wanted = name.lower()
    return next((item for item in KNOWN if wanted in (item.name, *item.aliases)), None)

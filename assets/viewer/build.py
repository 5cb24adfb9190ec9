"""Build `morphface/ui/static/viewer.js` from `source/` and three.js.

It needs node, npm and the npm registry; running morphface needs none of them. npm checks each
package against the SHA-512 in `package-lock.json`. The same input gives the same bytes:
`python assets/viewer/build.py --check` tells whether the committed bundle is that.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUNDLE = HERE.parents[1] / "morphface" / "ui" / "static" / "viewer.js"
LARGEST = 800_000
OPTIONS = (
    "--bundle",
    "--minify",
    "--format=iife",
    "--global-name=morphfaceViewer",
    "--target=es2022",
    "--charset=ascii",
    "--legal-comments=none",  # the banner has them
)


def main() -> None:
    """Write the bundle, or compare it with the committed one."""
    with tempfile.TemporaryDirectory() as folder:
        built = build(Path(folder))
    if len(built) > LARGEST:
        sys.exit(f"the bundle has {len(built):,} bytes, more than {LARGEST:,}")
    if "--check" not in sys.argv[1:]:
        BUNDLE.write_bytes(built)
        print(f"wrote {BUNDLE}: {len(built):,} bytes; write down in README.md the SHA-256")
        print(hashlib.sha256(built).hexdigest())
    elif BUNDLE.read_bytes() != built:
        sys.exit(f"{BUNDLE} is not what its source gives; run python {Path(__file__).name}")
    else:
        print(f"{BUNDLE} is what its source gives")


def build(folder: Path) -> bytes:
    """The bundle, made in an empty `folder`."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    shutil.copytree(HERE / "source", folder / "source")
    run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    modules = folder / "node_modules"
    esbuild = modules / ".bin" / "esbuild"
    run(folder, esbuild, "source/viewer.js", *OPTIONS, "--outfile=viewer.js")
    return banner(modules / "three").encode() + (folder / "viewer.js").read_bytes()


def banner(three: Path) -> str:
    """What the bundle contains, and the licence that must go with it."""
    version = json.loads((three / "package.json").read_text(encoding="utf-8"))["version"]
    licence = (three / "LICENSE").read_text(encoding="utf-8").strip()
    return (
        "/*! Built by assets/viewer/build.py of morphface (Apache-2.0) with parts of three.js "
        f"{version}:\n\n{licence}\n*/\n"
    )


def run(folder: Path, *command: str | Path) -> None:
    """Run a command in `folder`; its errors end the build."""
    subprocess.run([str(part) for part in command], cwd=folder, check=True)


if __name__ == "__main__":
    main()

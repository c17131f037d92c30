"""The licences of everything that requirements.txt brings along: python -m benchmarks.licences writes docs/licences.md.

Read from the packages themselves, in the environment that runs this.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

REQUIREMENTS, OUT = Path("requirements.txt"), Path("docs/licences.md")
FINE = re.compile(
    r"(^|[\s(,;/-])(MIT|BSD|Apache|PSF|Python Software Foundation|ISC|MPL|Mozilla|Unlicense|CC0|Zlib|HPND|0BSD|LGPL"
    r"|GNU Lesser General)\b",
    re.IGNORECASE,
)
CUDA = ("nvidia-", "cuda-")  # parts of torch's usual build for Linux; HEAD says what holds for them
KNOWN = {  # packages that do not say it in their metadata, read in their source
    "soxr": "LGPL-2.1-or-later (the library libsoxr inside the wheel), BSD-3-Clause (the binding)",
}
HEAD = """# Licences

Made by `python -m benchmarks.licences` from what the installed packages say of themselves. Direct dependencies are
those of [requirements.txt](../requirements.txt); the others come with them. Nothing of them is copied into this
repository: their terms bind whoever passes on an image that contains them. This project's own terms: code MIT, weights
CC BY-NC-SA 4.0 (see [README](../README.md#terms)).

Three wheels hold libraries under other terms than their own. soundfile: libsndfile, LGPL-2.1-or-later. soxr: libsoxr,
LGPL-2.1-or-later. av: FFmpeg, which calls itself LGPL-3.0-or-later, and beside it libx264 and libx265,
GPL-2.0-or-later, which this project never calls; who passes on an image with that wheel passes them on too, under
their terms.

torch's usual build for Linux brings CUDA along, `nvidia-*` and `cuda-*`, under NVIDIA's own licence, which lets anybody
use it; they are not listed below. The [Dockerfile](../Dockerfile) takes the build for CPU, which has none of them.

| package | version | direct | licence |
|---|---|---|---|
"""


def main() -> int:
    """Write the list, and fail when a licence is not one of those that fit."""
    direct = {_normalise(line.name): line for line in read_requirements(REQUIREMENTS)}
    found = walk(list(direct.values()))
    rows = [
        (name, package.version, "yes" if name in direct else "", read_licence(package))
        for name, package in sorted(found.items())
        if not name.startswith(CUDA)
    ]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows))
    odd = [f"{name}: {licence}" for name, _, _, licence in rows if not FINE.search(licence)]
    print(*odd, sep="\n")
    return 1 if odd else 0


def read_requirements(path: Path) -> list[Requirement]:
    """Read a requirements file without its comments."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def walk(wanted: list[Requirement]) -> dict[str, Distribution]:
    """Return the installed packages that requirements lead to, by name."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        one = wanted.pop()
        name, extras = _normalise(one.name), frozenset(one.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # an extra of another system
            continue
        for text in found[name].requires or []:
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                wanted.append(need)
    return found


def read_licence(package: Distribution) -> str:
    """Return what a package says: an SPDX expression, else its classifiers, else its licence field's first line."""
    data = package.metadata
    named = [line.split(" :: ")[-1] for line in data.get_all("Classifier") or [] if line.startswith("License ::")]
    named = [name for name in named if name != "OSI Approved"]
    field = (data.get("License") or "").strip().splitlines()
    said = data.get("License-Expression") or ", ".join(named) or (field[0][:80] if field else "")
    return KNOWN.get(_normalise(data["Name"]), said) or "not said"


def _normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())

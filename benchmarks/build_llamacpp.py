"""Builds llama.cpp's own tools from the source inside llama-cpp-python's sdist: `python -m benchmarks.build_llamacpp`.

So the yardstick is the very llama.cpp that the engine runs on. pip fetches the sdist of the installed version, by the
indexes and proxies it is set up with; everything goes to the user's cache folder, nothing into the repository. Takes
about ten minutes on 2 cores, and a C++ compiler and cmake. Does nothing when the tools are there.

    LLAMA_CPP_SOURCE   a llama.cpp tree to build instead
    LLAMA_CPP_TOOLS    where the tools are; what is built goes to the cache folder all the same
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from benchmarks import llamacpp
from benchmarks.figure import Unmeasurable

FLAGS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_UI=OFF",
)
IN_SDIST = Path("vendor") / "llama.cpp"


def main() -> int:
    """Builds what is missing; prints the folder of the tools. Exit code 1 with the reason when it cannot."""
    try:
        for name in llamacpp.TOOLS:
            llamacpp.tool(name)
    except Unmeasurable:
        try:
            build(source(llamacpp.home()), llamacpp.home() / "build")
        except Unmeasurable as error:
            print(error, file=sys.stderr)
            return 1
    print(llamacpp.folder())
    return 0


def source(home: Path) -> Path:
    """The llama.cpp tree: the one that is named, else that of the sdist, fetched into `home` when it is not there."""
    if named := os.environ.get("LLAMA_CPP_SOURCE"):
        return Path(named).expanduser()
    kept = home / "source"
    if not (kept / IN_SDIST / "CMakeLists.txt").is_file():
        unpack(sdist(home), kept)
    return kept / IN_SDIST


def sdist(home: Path) -> Path:
    """The sdist of the installed llama-cpp-python, fetched into `home` with pip."""
    wanted = f"llama-cpp-python=={llamacpp.version()}"
    # pip also prepares the metadata, for which it fetches the build system into an environment of its own.
    only_source = ["--no-deps", "--no-binary", "llama-cpp-python", "--dest", str(home)]
    run([sys.executable, "-m", "pip", "download", *only_source, wanted], "pip could not fetch the source")
    found = sorted(home.glob(f"llama_cpp_python-{llamacpp.version()}*.tar.gz"))
    if not found:
        raise Unmeasurable(f"pip left no sdist of {wanted} in {home}")
    return found[0]


def unpack(archive: Path, target: Path) -> None:
    """Unpacks an sdist so that its one folder becomes `target`."""
    work = target.with_name(f"{target.name}-unpacking")
    shutil.rmtree(work, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(work, filter="data")
    (folder,) = work.iterdir()
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)
    work.rmdir()


def build(tree: Path, target: Path) -> None:
    """Builds the tools of a llama.cpp tree into `target`/bin."""
    cmake = shutil.which("cmake")
    if cmake is None:
        raise Unmeasurable("cmake is missing. Install it (Debian, Fedora: package cmake; or: pip install cmake)")
    if not (tree / "CMakeLists.txt").is_file():
        raise Unmeasurable(f"{tree} is no llama.cpp source")
    run([cmake, "-S", str(tree), "-B", str(target), *FLAGS], "cmake could not set the build up")
    jobs = str(os.cpu_count() or 1)
    command = [cmake, "--build", str(target), "--config", "Release", "-j", jobs, "--target", *llamacpp.TOOLS]
    run(command, "the build failed")


def run(command: list[str], failure: str) -> None:
    """Runs a command with its words on standard error. Raises `Unmeasurable` when it fails."""
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise Unmeasurable(f"{failure}: {' '.join(command[:4])} …")


if __name__ == "__main__":
    sys.exit(main())

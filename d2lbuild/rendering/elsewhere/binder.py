"""What Binder makes an environment of: the lock as it is, and the library that lies beside the notebooks."""

import json

from d2lbuild.config.types import Config, Framework
from d2lbuild.rendering.elsewhere.requirements import locked_lines

__all__ = ["environment"]


def environment(config: Config, framework: Framework, wheel: str) -> str:
    """Return an ``environment.yml`` for the folder ``binder``; `wheel` lies in the folder above, if there is one."""
    pins = [*locked_lines(framework), *([f"../{wheel}"] if wheel else [])]
    python = f"python={framework.python}" if framework.python else "python"
    lines = [
        f"name: {config.name}-{framework.name}",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - {python}",
        "  - pip",
    ]
    if pins:
        # A JSON string is a YAML string too, whatever stands in it.
        lines += ["  - pip:", *(f"      - {json.dumps(pin, ensure_ascii=False)}" for pin in pins)]
    return "\n".join(lines) + "\n"

"""`bearerkit demo`: an issuer and a FastAPI service on loopback, and a walk through what is let in and what is not.

Both sides speak real HTTP, with real keys and the library as it is. Importing this package needs none of the
demo's packages; `run_demo` does. Nothing here may be used by an application.
"""

from __future__ import annotations

from importlib.util import find_spec

from bearerkit.demo.problems import DemoFailed

__all__ = ["DemoFailed", "run_demo"]

_NEEDS = {"fastapi": "FastAPI", "uvicorn": "Uvicorn", "rich": "rich"}


def run_demo(*, port: int = 8000, once: bool = False) -> int:
    """Run the demo and return the exit code: 0, or 1 if an answer was not the expected one.

    Without `once` the service stays up after the walk until KeyboardInterrupt. Raises OSError if the port is
    taken, ModuleNotFoundError if a package is missing.
    """
    missing = [name for module, name in _NEEDS.items() if find_spec(module) is None]
    if missing:
        raise ModuleNotFoundError(f'bearerkit demo needs {" and ".join(missing)}: pip install "bearerkit[demo]"')
    from bearerkit.demo.run import run

    return run(port=port, once=once)

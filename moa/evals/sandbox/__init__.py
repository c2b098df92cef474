"""The sandbox: where programs that nobody trusts run."""

from moa.evals.sandbox.apart import Checked, check
from moa.evals.sandbox.base import Sandbox
from moa.evals.sandbox.finding import UNSAFE, describe, find_sandbox
from moa.evals.sandbox.limits import Limits
from moa.evals.sandbox.program import FOLDER, PYTHON, Program, Ran

__all__ = [
    "FOLDER",
    "PYTHON",
    "UNSAFE",
    "Checked",
    "Limits",
    "Program",
    "Ran",
    "Sandbox",
    "check",
    "describe",
    "find_sandbox",
]

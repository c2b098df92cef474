"""Stub for the moment."""
from typing import Any
Feedback = Any

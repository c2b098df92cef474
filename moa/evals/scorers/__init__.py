"""Scorers: what an answer is worth, held against what was expected."""

from moa.evals.scorers.function import UserFunction
from moa.evals.scorers.naming import SCORERS, named
from moa.evals.scorers.reducers import Reducer, majority_at_k, pass_at_k, reducer
from moa.evals.scorers.settled import prepare

__all__ = ["SCORERS", "Reducer", "UserFunction", "majority_at_k", "named", "pass_at_k", "prepare", "reducer"]

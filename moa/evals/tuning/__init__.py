"""Tuning: which aggregator, for how many agents, pays for which kind of question, found without asking any model."""

from moa.evals.tuning.candidates import Candidate, candidates_of
from moa.evals.tuning.offline import Matrix, matrix_of
from moa.evals.tuning.search import Tuned, tune

__all__ = ["Candidate", "Matrix", "Tuned", "candidates_of", "matrix_of", "tune"]

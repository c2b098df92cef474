"""Evaluation: the same questions through single models and mixtures, compared in pairs."""

from moa.evals.sample import Sample
from moa.evals.score import Score, Scorer
from moa.evals.suite import Suite
from moa.evals.suite_files import load_suite

__all__ = ["Sample", "Score", "Scorer", "Suite", "load_suite"]

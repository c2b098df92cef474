"""Evaluation: the same questions through single models and mixtures, compared in pairs."""

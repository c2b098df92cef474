"""What a trained gate is made of: words and vectors in, calibrated probabilities out. numpy only."""

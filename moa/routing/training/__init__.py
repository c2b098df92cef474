"""Training a gate: from labelled questions, or from who answered them right, to one that decides and knows how sure."""

"""Speed, as a ratio against a floor in the same run."""

"""rules of the monthly spot check."""

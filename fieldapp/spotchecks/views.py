"""views of the monthly spot check."""

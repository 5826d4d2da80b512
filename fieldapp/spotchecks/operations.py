"""operations of the monthly spot check."""

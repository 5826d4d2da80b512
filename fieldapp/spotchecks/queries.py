"""queries of the monthly spot check."""

"""Fieldapp: the visit log, the registry and the map of community grid workers."""

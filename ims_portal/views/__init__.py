"""Doors of the ground floor: translate in, one call into the domain, translate out."""

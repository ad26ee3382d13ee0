"""The pages of GSTR-2B and GSTR-3B: translate in, one call into the domain, translate out."""

"""Our own interface for programs, `/api/v1/` (formats 12.2, promises 5): who enters, how bodies are read, errors told.

Every view is a `TokenView`, one about a GSTIN a `TaxpayerView`; it declares the right each of its methods needs.
"""

"""Worked cases of the law: files an expert can write, played through the domain functions that the pages call."""

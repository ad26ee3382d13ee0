"""Statements, returns, files and jobs for programs (formats 12.2)."""

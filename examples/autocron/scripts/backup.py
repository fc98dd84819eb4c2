"""Backs nothing up, and says so."""

print("backed up")

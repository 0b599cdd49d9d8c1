"""Mutated inputs and odd command lines for Scripts/fuzz."""

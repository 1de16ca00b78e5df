"""The tests: each name is a sentence about the system, and the promises P1 to P11 are named where they are held."""

"""The door through which the platforms' webhooks come in: bytes are verified, recorded, and only then acknowledged."""

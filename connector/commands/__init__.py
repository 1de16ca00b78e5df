"""What can be typed after `connector`, one theme a file; each registers its commands and carries them out."""

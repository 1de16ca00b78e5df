"""Ways a message can reach a person: one file a channel."""

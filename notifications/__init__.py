"""What customers are told: which kinds there are, when, in which words, through which channel, with which documents."""

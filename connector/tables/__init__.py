"""One file a table with its few queries; every key starts with the shop."""

"""The commands of `mixlab`, a file a group; each row: name, what it does, options, example."""

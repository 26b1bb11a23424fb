"""What people say of documents: tags, notes and votes, as a journal with undo."""

"""Breadth of sources, of what recipes keep of them, and between them: measured once and stored."""

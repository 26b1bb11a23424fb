"""Shared by all tests: a sample workspace, built once a session and copied for those who write."""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

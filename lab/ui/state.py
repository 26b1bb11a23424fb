"""Where the app keeps what it knows: the URL, the session, the disk.

The URL says what is looked at (widgets with `bind="query-params"`), the session holds edits that
are not saved yet, the disk holds everything of value. Session values are plain dicts, strings and
numbers: hot reload drops modules, and a kept dataclass would no longer be an instance of its class.
"""

import os
from pathlib import Path

from lab.core.workspace import Workspace, create, open_workspace

WORKSPACE_VARIABLE = "MIXLAB_WORKSPACE"
DEFAULT_WORKSPACE = "workspace"


def workspace() -> Workspace:
    """The workspace this server shows; an absent or empty folder becomes an empty workspace."""
    root = Path(os.environ.get(WORKSPACE_VARIABLE) or DEFAULT_WORKSPACE)
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return create(root)
    return open_workspace(root)

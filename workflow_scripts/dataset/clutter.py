"""What lies about among data: files and folders that systems, shares and archive programs leave behind.

One rule for folder trees and archives: such names are left out and counted, and never refused. Light on purpose: the
Snakefile imports this at parse time.
"""

import re

# Lower case: Windows and macOS do not tell cases apart. Names that begin with a dot are left out without a list.
CLUTTER = frozenset(
    {
        *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini"),  # Windows, Picasa
        *("$recycle.bin", "system volume information", "lost+found"),  # file systems
        *("__macosx", "icon\r"),  # macOS
        *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot"),  # Synology's and QNAP's shares
        *("pax_global_header", "@paxheader", "@longlink", "__pycache__"),
    }
)
# What programs that do not know pax headers unpack, what Windows writes beside a downloaded file, and the places of
# objects that Tiny ImageNet has in the folders of its classes.
PATTERN = re.compile(r"paxheaders?(\.[0-9x]+)?|.*[:\uf03a]zone\.identifier|.*_boxes\.txt", re.DOTALL)


def lies_about(name: str) -> bool:
    """Whether a file or folder of this name (without folders above it) is no data."""
    if name in (".", ".."):
        return False
    lower = name.lower()
    return name.startswith(".") or lower in CLUTTER or PATTERN.fullmatch(lower) is not None

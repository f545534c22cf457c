# SPDX-License-Identifier: MIT
"""
PHP's extensions: pools that tests start, and PHP-FPM beside them, have those that tests need and no others,
whatever else this machine has enabled. What other extensions say and leak is no test's business, but that of a
run with pytest's --all-extensions. (A Machine has what this one has: there, it is applications that need them.)
"""

import pathlib
import re

from lib.php import EMBED_DIR, MODS_DIR

NEEDED = (
    "ctype",    # to be loaded, too, where it is there already
    "iconv",    # an output handler that is no script's
    "opcache",  # scripts in shared memory, preloading, a failing one that is served from there
    "phar",     # scripts inside of a file
    "posix",    # kill(2), rlimits, who runs
)

# Errors are another text with each of these, with times and memory in it: no two answers are the same.
DEBUGGERS = ("xdebug",)


def enable(directory):
    """Fills a scan directory as Debian's phpenmod does. What has no file there is part of PHP: opcache from 8.5 on."""
    for name in NEEDED:
        file = pathlib.Path(MODS_DIR, f"{name}.ini")
        if file.exists():
            priority = re.search(r"^; *priority *= *(\d+)", file.read_text(), re.M)
            (directory / f"{priority[1] if priority else 20}-{name}.ini").symlink_to(file)
    return directory


def enable_all(directory):
    """The same with all that are enabled for libphp here, debuggers apart."""
    for file in pathlib.Path(EMBED_DIR, "conf.d").glob("*.ini"):
        if file.stem.partition("-")[2] not in DEBUGGERS:
            (directory / file.name).symlink_to(file)
    return directory

# SPDX-License-Identifier: MIT
"""
The PHP that the build under test is for, and where Debian has what belongs to it. No test names a version; one
that expects something else of another PHP asks at_least().
"""

import os
import pathlib
import re

BUILD_DIR = pathlib.Path(os.environ.get("BUILD_DIR", pathlib.Path(__file__).parents[2] / "build")).resolve()


def built():
    """The PHPs that the build has a worker for, oldest first."""
    workers = (re.fullmatch(r"php-pool-worker-(\d+)\.(\d+)", path.name) for path in BUILD_DIR.glob("daemon/*"))
    versions = [tuple(map(int, worker.groups())) for worker in workers if worker]
    assert versions, f"no build in {BUILD_DIR}"
    return sorted(versions)


ALL = ["{}.{}".format(*numbers) for numbers in built()]
NUMBERS = built()[-1]
VERSION = ALL[-1]

DIR = f"/etc/php/{VERSION}"
EMBED_DIR = f"{DIR}/embed"  # libphp's own
MODS_DIR = f"{DIR}/mods-available"

# PHP-FPM of the same version.
FPM = f"php-fpm{VERSION}"
FPM_NAME = f"php{VERSION}-fpm"  # the package
FPM_SERVICE = f"{FPM_NAME}.service"
FPM_DIR = f"{DIR}/fpm"
FPM_SOCKET = f"/run/php/{FPM_NAME}.sock"


def at_least(major, minor):
    return NUMBERS >= (major, minor)

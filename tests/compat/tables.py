# SPDX-License-Identifier: MIT
"""All cases."""

import itertools

from compat import (table_access_log, table_bodies, table_errors, table_headers, table_ini, table_monitors,
                    table_output, table_paths, table_protocol, table_servers, table_variables)

TABLES = (table_variables, table_headers, table_bodies, table_output, table_errors, table_ini,
          table_protocol, table_paths, table_servers, table_monitors, table_access_log)
CASES = sorted(itertools.chain.from_iterable(table.CASES for table in TABLES), key=lambda case: case.profile)

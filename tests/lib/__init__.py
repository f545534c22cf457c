# SPDX-License-Identifier: MIT
"""What the tests in Python share."""

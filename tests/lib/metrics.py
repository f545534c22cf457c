# SPDX-License-Identifier: MIT
"""OpenMetrics text, read by the strict parser of Prometheus' own client library."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families


def families(text):
    """{name: (type, {labels as a frozenset of pairs: value})}"""
    return {family.name: (family.type, {frozenset(s.labels.items()): s.value for s in family.samples})
            for family in text_string_to_metric_families(text)}

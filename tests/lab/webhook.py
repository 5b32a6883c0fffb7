# SPDX-License-Identifier: Apache-2.0
"""Alertmanager's webhook, version 4, for tests that have no Alertmanager in between."""

import hashlib


def alert_of(alertname, status="firing", fingerprint=None, **labels):
    """Its fingerprint follows from its labels, as Alertmanager's does, unless it is given."""
    labels = {"alertname": alertname, **labels}
    return {"status": status, "labels": labels, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-01-01T00:10:00Z",
            "generatorURL": "http://127.0.0.1/graph",
            "fingerprint": fingerprint or hashlib.md5(repr(sorted(labels.items())).encode()).hexdigest()[:16]}


def webhook_of(*alerts):
    return {"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "receiver": "runbook",
            "status": "firing" if any(alert["status"] == "firing" for alert in alerts) else "resolved",
            "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://127.0.0.1",
            "alerts": list(alerts)}

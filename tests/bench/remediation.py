# SPDX-License-Identifier: Apache-2.0
"""How small the daemons are after a remediation."""

from lab.lab import Lab

from .measuring import BUILD, MB


def run(table, bench):
    """Both daemons in the lab, with the shipped rules, after a remediation was carried out."""
    lab = Lab(bench.directory / "lab", bench.engine, BUILD / "runbook_exporter", BUILD / "runbook_responder",
              BUILD / "tests/lab/service/service")
    try:
        lab.start()
        lab.compose.fault("mcp-server", "slow", seconds=3)
        incident = lab.responder.wait_final("high_latency")
        assert incident["state"] == "healed", incident["state"]
        for _ in range(50):
            lab.exporter.page()
            lab.responder.page()
        for name, daemon, peer, peer_rss in (("exporter", lab.exporter, "node_exporter", bench.node_rss),
                                             ("responder", lab.responder, "webhook", bench.webhook_rss)):
            size = daemon.resident_bytes()
            table.add(f"resident memory, {name}, after a remediation", f"{size / MB:.1f} MB", f"{peer} {peer_rss / MB:.1f} MB" if peer_rss else "",
                      size / MB, 14, False, "MB")
    finally:
        lab.stop()

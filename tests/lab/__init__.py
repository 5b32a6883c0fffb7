# SPDX-License-Identifier: Apache-2.0
"""The lab: every real part that Runbook talks to, on private ports under one temporary directory."""

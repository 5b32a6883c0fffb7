# SPDX-License-Identifier: Apache-2.0
"""The rooms of `make bench`: one for each thing that is measured."""

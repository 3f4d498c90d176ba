"""Whether a store keeps what conditional operations rely on; `check_store` finds out."""

from persidict.testing.conformance.check_store import check_store
from persidict.testing.conformance.findings import Conformance, Finding

__all__ = ["Conformance", "Finding", "check_store"]

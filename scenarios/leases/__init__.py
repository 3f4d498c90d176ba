"""What the scenarios about leases share: turns under a lease, and what their audits ask."""

"""What operations cost, in requests and processor time; run as `python -m benchmarks.NAME`."""

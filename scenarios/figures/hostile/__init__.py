"""What strangers put into a bucket, into a name, and would like to find in a log."""

"""What every measured process has imported already when it is forked, which saves it a second."""

import boto3
import botocore.client
import structlog
import tenacity

import persidict.testing
import persidict_sync
import scenarios.history
from persidict.testing.client import s3_client

__all__ = ["boto3", "botocore", "persidict", "persidict_sync", "scenarios", "structlog", "tenacity"]

# The first client of a process reads the description of S3.
s3_client("http://127.0.0.1:9").close()

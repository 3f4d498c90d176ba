"""S3: the one home of boto3, of its exceptions and of HTTP's."""

"""Prints what it was given."""

import os
import sys

print("report", *sys.argv[1:], os.environ.get("LEVEL", ""), os.environ.get("REGION", ""))

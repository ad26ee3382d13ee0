#!/usr/bin/env python
"""Commands of the portal. Without DATABASE_URL they work on the running demo."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ims_portal.settings")
    os.environ.setdefault("IMS_ROLE", "command")
    execute_from_command_line(sys.argv)

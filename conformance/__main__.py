"""`python -m conformance`: see `conformance.command`."""

import sys

from conformance.command import main

sys.exit(main())

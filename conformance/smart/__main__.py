"""`python -m conformance.smart`: see `conformance.smart.run`."""

import sys

from conformance.smart.run import main

sys.exit(main())

"""Wrong requests, and whether they are refused with an OperationOutcome that helps."""

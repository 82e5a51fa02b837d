"""The claims that several groups look for, with Patient as the type that most servers have."""

from __future__ import annotations

from conformance.statement import interaction, of_type

BATCHES = interaction("batch")
TRANSACTIONS = interaction("transaction")
UPDATES = interaction("update", "Patient")
DELETES = interaction("delete", "Patient")
VERSIONED = of_type("Patient", "versioning", "versioned", "versioned-update")
UPDATE_CREATES = of_type("Patient", "updateCreate", True)
CONDITIONAL_CREATES = of_type("Patient", "conditionalCreate", True)
CONDITIONAL_UPDATES = of_type("Patient", "conditionalUpdate", True)
CONDITIONAL_DELETES = of_type("Patient", "conditionalDelete", "single", "multiple")
READS_IF_NONE_MATCH = of_type("Patient", "conditionalRead", "not-match", "full-support")
READS_IF_MODIFIED = of_type("Patient", "conditionalRead", "modified-since", "full-support")

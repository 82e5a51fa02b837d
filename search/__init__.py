"""What a FHIR search means: parameters, index entries, query text, plans of filters, cursors. Pure: no Flask, no MongoDB driver."""

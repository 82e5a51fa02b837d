"""What a run found, written for people (HTML), for build servers (JUnit XML) and for FHIR (TestReport)."""

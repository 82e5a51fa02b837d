"""The audit: who did what, taken down in a journal before the answer leaves, and made into AuditEvents afterwards.

https://hl7.org/fhir/R4/auditevent.html

    requests, security   what happens in a process, as records
    journal              the records as lines of files, which outlive the process
    process, taking      a process of its own, which takes the lines into the store
    tails                the files as the taker reads them
    subjects, names      which patients a record is about, and who the users and clients are
    audit_event, codes   a record as AuditEvents
"""

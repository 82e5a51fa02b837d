"""The audit: who did what, taken down in a journal before the answer leaves, and made into AuditEvents afterwards.

https://hl7.org/fhir/R4/auditevent.html

    requests, security   what happens in a process, as records
    records, journal     the records as lines of files, which outlive the process
    process, pace        a process of its own, which takes the lines into the store while the machine has time to spare
    tails, taking        the files as they are read, and from lines to stored AuditEvents
    subjects             which patients a record is about
    audit_event, codes   a record as AuditEvents
    archive              old AuditEvents out of the store into a file
"""

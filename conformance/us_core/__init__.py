"""US Core: what its test plans ask for, tried on records that the kit makes itself."""

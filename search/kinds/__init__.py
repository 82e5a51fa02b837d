"""The kinds of search parameters, one module each: what goes into the index, and the filter that finds it."""

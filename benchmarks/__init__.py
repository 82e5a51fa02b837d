"""Benchmarks: our server beside a bare Flask + pymongo application, in one run on one machine."""

"""What the agent costs, measured from outside: real processes, a real broker, real sockets.

`python -m benchmarks --help` lists what can be measured.
"""

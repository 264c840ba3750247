"""`python -m tests.support.wordy BYTES`: a decoder that reads nothing, and writes so much."""

import sys

left = int(sys.argv[1])

while left > 0:
    left -= sys.stdout.buffer.write(b"x" * min(left, 64 * 1024))
sys.stdout.buffer.flush()

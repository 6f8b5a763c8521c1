"""A program of this repository alone."""

import sys

if __name__ == "__main__":
    print(sys.executable)

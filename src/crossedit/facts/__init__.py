"""Facts: raw dataset files become the facts table."""

VERSION = 1

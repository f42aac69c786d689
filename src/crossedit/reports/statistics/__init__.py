"""Statistics: what differs between cells more than chance would have it.

values.py        what each fact is worth in each cell, read from VALUES
paired.py        a test, an interval and a size of the difference of two columns of facts
comparing.py     which columns are compared, and the correction for how many they are
"""

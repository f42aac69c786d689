"""Reports: scores become tables, figures and one page."""

VERSION = 1

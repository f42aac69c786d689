"""Reports: scores become tables, figures and one page. Nothing here needs torch."""

VERSION = 4

"""Facts: raw dataset files become the facts table.

reading     a file -> its text, then its records, with the layout recognised (layouts)
joining     several files of one split -> cases, each in several languages
checks      cases -> oddities, whose kinds are listed in `oddities`
relations   which facts ask the same thing; originals: answers before the edit where a source has none
drawing     the seeded draw of the splits
build       all of that, from an entry of the configuration to the tables
"""

VERSION = 2

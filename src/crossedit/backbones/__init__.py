"""Backbones: a name in the configuration becomes a loadable model, its covariances, its unedited answers."""

VERSION = 1

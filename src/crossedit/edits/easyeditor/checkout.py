"""Importing single modules out of a checkout of EasyEdit.

    checkout = Checkout(Path("../EasyEdit"))
    checkout.module("rome.rome_main").apply_rome_to_model

Only what an editor needs is imported: the packages' own `__init__` files, which import every editor with all that any
of them asks for, are not run.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from crossedit.errors import UserError

URL = "https://github.com/zjunlp/EasyEdit"
COMMIT = "14cea82"  # the one that this engine was tried with
ENVIRONMENT = "envs/easyedit.yaml"


class Checkout:
    """A folder with EasyEdit in it. Its modules keep things between edits, so that each object imports them anew."""

    def __init__(self, folder: Path) -> None:
        """Raises UserError where the folder is no checkout of EasyEdit."""
        self.folder = folder
        package = folder.resolve() / "easyeditor"
        if not (package / "models").is_dir():
            raise UserError(
                f"checkout: '{folder}' holds no folder easyeditor/models, so it is no checkout of EasyEdit; "
                f"run `git clone {URL}` and name the folder that it makes."
            )
        for name in [name for name in sys.modules if name.partition(".")[0] == "easyeditor"]:
            del sys.modules[name]
        for name, place in (("easyeditor", package), ("easyeditor.models", package / "models")):
            bare = ModuleType(name)
            bare.__path__ = [str(place)]
            sys.modules[name] = bare

    def module(self, name: str) -> ModuleType:
        """Return `easyeditor.models.<name>`. Raises UserError where it or a package that it imports isn't there."""
        try:
            return importlib.import_module(f"easyeditor.models.{name}")
        except ImportError as error:
            missing = (error.name or "").partition(".")[0]
            if isinstance(error, ModuleNotFoundError) and missing != "easyeditor":
                raise UserError(
                    f"checkout: EasyEdit in '{self.folder}' needs the package '{missing}', which isn't installed; "
                    f"use the environment {ENVIRONMENT}."
                ) from error
            raise UserError(
                f"checkout: easyeditor.models.{name} in '{self.folder}' can't be imported ({error}); use commit "
                f"{COMMIT} and the environment {ENVIRONMENT}."
            ) from error

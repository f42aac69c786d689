"""An experiment as it is named on the command line: its configuration, and the command that runs it.

experiment = Experiment.of(["config.yaml", "config/quick.yaml"], profile="slurm")
experiment.config                           merged as Snakemake merges them, and checked
experiment.snakemake("--dry-run")           ["snakemake", "--configfile", …, "--profile", "slurm", "--dry-run"]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from crossedit import config as configuration
from crossedit.errors import UserError
from crossedit.files import check_files

DEFAULT = "config.yaml"  # what the Snakefile reads where no file is named


@dataclass(frozen=True)
class Experiment:
    """A checked configuration, and what on a command line leads to it."""

    config: dict[str, Any]
    configfiles: tuple[str, ...]  # empty for the default one
    overrides: tuple[str, ...]  # KEY=VALUE, which stand above the files
    profile: str | None

    @classmethod
    def of(
        cls, configfiles: Sequence[str] = (), overrides: Sequence[str] = (), profile: str | None = None
    ) -> "Experiment":
        """Return the experiment of some configuration files. Raises UserError for the first mistake in them."""
        # Snakemake's parts that read and merge configuration files; they import quickly, its command line doesn't.
        from snakemake.common.configfile import load_configfile
        from snakemake.exceptions import WorkflowError
        from snakemake.utils import update_config

        raw: dict[str, Any] = {}
        for file in configfiles or (DEFAULT,):
            check_files("--configfile", file)
            try:
                update_config(raw, load_configfile(file))
            except (WorkflowError, yaml.YAMLError, UnicodeDecodeError) as error:
                raise UserError(f"--configfile: {file} can't be read: {' '.join(str(error).split())}") from None
        for override in overrides:
            key, given, value = override.partition("=")
            if not given:
                raise UserError(f"--config: '{override}' sets nothing; write it as KEY=VALUE.")
            try:
                update_config(raw, {key: yaml.safe_load(value)})
            except yaml.YAMLError:
                raise UserError(f"--config: '{override}': its value is no YAML; quote it.") from None
        return cls(configuration.checked(raw), tuple(configfiles), tuple(overrides), profile)

    def snakemake(self, *arguments: str) -> list[str]:
        """Return the command that runs Snakemake on this experiment.

        Without a profile, which says such things, it takes all cores and makes anew what a killed job left behind.
        """
        files = ["--configfile", *self.configfiles] if self.configfiles else []
        overrides = ["--config", *self.overrides] if self.overrides else []
        how = ["--profile", self.profile] if self.profile else ["--cores", "all", "--rerun-incomplete"]
        return ["snakemake", *files, *overrides, *how, *arguments]

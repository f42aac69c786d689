"""The command that makes one part of an experiment, and nothing else, again."""

from crossedit.errors import UserError
from crossedit.jobs import cancel
from crossedit.runs.chains import Chain
from crossedit.runs.experiment import Experiment
from crossedit.runs.states import Survey


def command(experiment: Experiment, chain: Chain, survey: Survey) -> list[str]:
    """Return the Snakemake command that makes what a chain lacks; of one that is done, all of it again.

    What the chain draws on, such as a backbone's covariance, is made along with it only where it isn't there.
    """
    lacking = [job for job in chain.wanted if survey.state(job).state != "done"]
    early = [job for job in lacking if job not in chain.ends]
    if not lacking:
        roots = [job.target for job in chain.roots]
        return experiment.snakemake("--forcerun", *roots, "--", *(job.target for job in chain.ends))
    if not early:
        wanted = lacking
    elif len(early) < len(lacking):
        wanted = [*chain.ends]  # which need the others
    else:
        wanted = [*early, *chain.ends]  # Snakemake doesn't miss a lost file whose followers are there
    return experiment.snakemake("--", *(job.target for job in wanted))


def check_idle(chain: Chain, survey: Survey) -> None:
    """Raise UserError where a job of the chain is still running."""
    for job in chain.jobs:
        found = survey.state(job)
        if found.state == "running" and found.record is not None:
            raise UserError(
                f"{chain.name}: {job.output} has been running since {found.record.since} on {found.record.host}; wait "
                f"for it, or end it with `{cancel(found.record)}` first."
            )

"""A throwaway Slurm cluster on this machine: emulated nodes with pretended GPUs, on the loopback interface.

with Cluster() as cluster:                    needs root and Debian's slurm-wlm and munge; no systemd, no cgroups
    subprocess.run(…, env=cluster.environment)    or cluster.prompt: Snakemake hears at once of jobs that have ended
    cluster.jobs(folder)                      what Slurm itself has recorded of each job, also of those that have ended
    cluster.fail("n1"); cluster.mend("n1")    a node loses its power, and comes back

At the block's end nothing is left behind, however it ends: no process, no file.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import psutil
from slurm_jobs import Job, jobs_in

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "setpriv")


def missing() -> str | None:
    """Return why no cluster can be started here; None where one can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"no {', '.join(absent)} (Debian: apt-get install slurm-wlm munge)"
    return None if os.geteuid() == 0 else "a Slurm cluster is started by root only"


class Cluster:
    """A running cluster of `nodes` nodes n1, n2, … with `gpus` GPUs of type h200 and `cpus` processors each."""

    def __init__(self, nodes: int = 2, gpus: int = 2, cpus: int = 4) -> None:
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.gpus, self.cpus = gpus, cpus
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Cluster":
        # Sockets have short names only, so not in pytest's own folder.
        self.folder = Path(tempfile.mkdtemp(prefix="crossedit-slurm-")).resolve()
        self.conf = self.folder / "slurm.conf"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SLURM_")},
            "SLURM_CONF": str(self.conf),
            # Jobs find this Python's snakemake and crossedit, and those the srun below.
            "PATH": f"{self.folder}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self.prompt = {**self.environment, "PATH": f"{self.folder}/prompt:{self.environment['PATH']}"}
        with ExitStack() as undone:
            undone.callback(self._stop)
            self._write()
            self._start()
            undone.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def run(self, *command: str, check: bool = True, cwd: Path | None = None) -> str:
        """Return what one of Slurm's commands, or any other, writes to stdout. Raises where it fails, if `check`."""
        return subprocess.run(
            command, env=self.environment, cwd=cwd, check=check, capture_output=True, text=True, timeout=60
        ).stdout

    def jobs(self, folder: Path, rule: str = "", wildcards: str = "") -> list[Job]:
        """Return the jobs submitted from a folder, running and ended, by id; of a rule and of wildcards if given."""
        found = jobs_in(self.run("scontrol", "--oneliner", "show", "job"))
        return [
            job for job in found if job.folder == folder and rule in ("", job.rule) and wildcards in ("", job.wildcards)
        ]

    def wait(self, what: str, arrived: Callable[[], object], seconds: float = 120) -> None:
        """Return as soon as `arrived()` is true. Raises TimeoutError that names `what` and the queue otherwise."""
        deadline = time.monotonic() + seconds
        while not arrived():
            if time.monotonic() > deadline:
                queue = self.run("squeue", "--states=all", "--format=%A %T %N %r %k", check=False)
                raise TimeoutError(f"waited {seconds:.0f} s for {what}; the queue:\n{queue}")
            time.sleep(0.2)

    def fail(self, node: str) -> None:
        """Let a node lose its power: all its processes end at once, and Slurm sees it down."""
        self._daemons.pop(node).kill()
        self._kill(node)
        self.run("scontrol", "update", f"node={node}", "state=down", "reason=power")

    def mend(self, node: str) -> None:
        """Let a node come back; returns as soon as jobs can run on it."""
        self._begin(node, "slurmd", "-D", "-N", node)
        self.run("scontrol", "update", f"node={node}", "state=resume")
        self.wait(f"{node} to come back", lambda: self._up([node]), 60)

    def clear(self) -> None:
        """End all jobs, and let failed nodes come back."""
        self.run("scancel", "--user=root")
        for node in self.nodes:
            if node not in self._daemons:
                self.mend(node)
        self.wait("the jobs to end", lambda: not self.run("squeue", "--noheader"))

    def _write(self) -> None:
        host, ports = socket.gethostname().split(".")[0], _free_ports(1 + len(self.nodes))
        for name in ("bin", "prompt", "munge", "state", "spool", "gpus"):
            (self.folder / name).mkdir(mode=0o755)
        (self.folder / "munge/key").write_bytes(os.urandom(128))
        (self.folder / "munge/key").chmod(0o600)
        for number in range(self.gpus):
            # slurmd takes only character devices for GPUs.
            (self.folder / f"gpus/gpu{number}").symlink_to("/dev/null")
        lines = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus} RealMemory=64000"
            f" Gres=gpu:h200:{self.gpus} State=UNKNOWN"
            for node, port in zip(self.nodes, ports[1:], strict=True)
        ]
        self.conf.write_text(
            CONF.format(folder=self.folder, host=host, port=ports[0], nodes="\n".join(lines)), encoding="utf-8"
        )
        gpus = f"{self.folder}/gpus/gpu[0-{self.gpus - 1}]"
        (self.folder / "gres.conf").write_text(f"Name=gpu Type=h200 File={gpus}\n", encoding="utf-8")
        for shim, script in (("bin/srun", SRUN), ("prompt/squeue", SQUEUE)):
            path = self.folder / shim
            path.write_text(script.format(folder=self.folder, real=shutil.which(path.name)), encoding="utf-8")
            path.chmod(0o755)

    def _start(self) -> None:
        munge = self.folder / "munge"
        files = [f"--{name}-file={munge}/{name}" for name in ("key", "pid", "log", "seed")]
        self._begin("munged", "munged", "--foreground", "--force", *files, f"--socket={munge}/socket")
        self.wait("munged", lambda: (munge / "socket").exists(), 60)
        self._begin("slurmctld", "slurmctld", "-D", "-i")
        for node in self.nodes:
            self._begin(node, "slurmd", "-D", "-N", node)
        self.wait("the nodes to come up", lambda: self._up(self.nodes), 60)

    def _begin(self, name: str, *command: str) -> None:
        # Daemons end with this process, even if it is killed.
        with (self.folder / f"{name}.out").open("ab") as said:
            self._daemons[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def _up(self, nodes: list[str]) -> bool:
        for name, daemon in self._daemons.items():
            if daemon.poll() is not None:
                said = (self.folder / f"{name}.out").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"{name} has ended:\n{said[-2000:]}")
        states = dict(line.split() for line in self.run("sinfo", "-hN", "-o", "%N %t", check=False).splitlines())
        return all(states.get(node) in ("idle", "mix", "alloc") for node in nodes)

    def _stop(self) -> None:
        for daemon in reversed(self._daemons.values()):
            daemon.kill()
            daemon.wait()
        self._daemons.clear()
        self._kill()
        shutil.rmtree(self.folder)

    def _kill(self, node: str | None = None) -> None:
        """End the processes of a node, or of the whole cluster; returns when there are none."""
        deadline = time.monotonic() + 60
        while left := self.processes(node):
            if time.monotonic() > deadline:
                raise TimeoutError(f"these don't end: {left}")
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.05)

    def processes(self, node: str | None = None) -> list[psutil.Process]:
        """Return what runs on a node, or all that has to do with the cluster but isn't this process."""
        # Jobs are known by their environment, what Slurm starts beside them by the log that it writes to.
        wanted = {"SLURM_CONF": str(self.conf)} | ({"SLURMD_NODENAME": node} if node else {})
        log = str(self.folder / (f"slurmd-{node}.log" if node else ""))
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                written = any(file.path.startswith(log) for file in process.open_files())
                if process.pid != os.getpid() and (written or wanted.items() <= process.environ().items()):
                    found.append(process)
        return found


def _free_ports(number: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


# Snakemake's plugin for steps takes SLURM_CONF from srun's environment; only /etc/slurm would then be searched.
SRUN = """\
#!/bin/sh
SLURM_CONF={folder}/slurm.conf exec {real} "$@"
"""

# Snakemake asks for the jobs of a run by its name, and waits ten seconds longer each time none of them has ended. So
# that tests needn't wait, this answers such a question as soon as one has, or after 20 s. While Snakemake waits for an
# answer it takes no signal to heart, so tests that send it one do without.
SQUEUE = """\
#!/bin/sh
case " $* " in *" --name "*) ;; *) exec {real} "$@" ;; esac
for name; do :; done
told="{folder}/ended.$name"
for _ in $(seq 100); do
    said=$({real} "$@") || exit
    ended=$(echo "$said" | grep -cvE "PENDING|RUNNING|COMPLETING")
    [ "$ended" -gt "$(cat "$told" 2>/dev/null || echo 0)" ] && break
    sleep 0.2
done
echo "$ended" > "$told"
echo "$said"
"""

CONF = """\
ClusterName=throwaway
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A job of a failed node waits this long before it is started again.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
# No cgroups: nodes have more processors and memory than this machine, and nobody holds jobs to what they asked for.
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
KillWait=2
ReturnToService=2
# Without slurmdbd, what has ended is to be seen as long as slurmctld remembers it.
AccountingStorageType=accounting_storage/none
MinJobAge=86400
JobRequeue=1
{nodes}
# Jobs are spread over the nodes.
PartitionName=gpu Nodes=ALL Default=YES LLN=YES State=UP
PartitionName=cpu Nodes=ALL LLN=YES State=UP
"""

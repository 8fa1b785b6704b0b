"""A private Slurm of two nodes on this machine: `cpu1`, and `gpu1` with two stand-in GPUs. Needs root on Debian."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psutil

PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client")
# Without accounting, finished jobs must stay known to squeue (MinJobAge). Jobs at their limit have KillWait
# seconds to save a checkpoint. The credential's short life makes a requeue take seconds.
CONFIGURATION = """
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=26817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
MinJobAge=3600
KillWait=30
SlurmctldTimeout=30
SlurmdTimeout=15
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=cpu1 NodeHostname={host} NodeAddr=127.0.0.1 Port=26818 CPUs=4 RealMemory=12000 State=UNKNOWN
NodeName=gpu1 NodeHostname={host} NodeAddr=127.0.0.1 Port=26819 CPUs=4 RealMemory=12000 Gres=gpu:standin:2 State=UNKNOWN
PartitionName=cpu Nodes=cpu1 Default=YES MaxTime=60 State=UP
PartitionName=gpu Nodes=gpu1 MaxTime=60 PriorityTier=1 State=UP
PartitionName=urgent Nodes=gpu1 MaxTime=60 PriorityTier=10 PreemptMode=OFF State=UP
"""


def missing() -> str:
    """Why a Slurm cannot be started here, or "". Installs Debian's packages if they are not there."""
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        return "a private Slurm needs root on Debian"
    if shutil.which("slurmctld") and shutil.which("munged"):
        return ""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False, "timeout": 120}
    with contextlib.suppress(subprocess.TimeoutExpired, FileNotFoundError):
        subprocess.run(["apt-get", "update"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES], **quiet)
    return "" if shutil.which("slurmctld") else f"Debian's packages {', '.join(PACKAGES)} cannot be installed here"


class Cluster:
    """The daemons of a cluster in `folder` (a short absolute path), and the environment of its users."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.daemons = folder, {}
        for name in ("munge", "state", "spool/cpu1", "spool/gpu1", "devices", "log", "bin"):
            (folder / name).mkdir(parents=True)
        (folder / "munge").chmod(0o700)
        (folder / "slurm.conf").write_text(CONFIGURATION.format(folder=folder, host=socket.gethostname().split(".")[0]))
        (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
        for number in (0, 1):  # device nodes, or CUDA_VISIBLE_DEVICES is not set
            os.mknod(folder / f"devices/nvidia{number}", 0o600 | 0o020000, os.makedev(1, 3))
        devices = f"{folder}/devices/nvidia[0-1]"
        (folder / "gres.conf").write_text(f"NodeName=gpu1 AutoDetect=off Name=gpu Type=standin File={devices}\n")
        # The plugin's job step takes SLURM_* out of the environment, and srun would look for a controller by DNS.
        srun = folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
        self.environment = os.environ | {"SLURM_CONF": f"{folder}/slurm.conf", "PATH": path}

    def start(self) -> None:
        """Start the daemons and wait until both nodes are idle."""
        munge = [f"--{kind}-file={self.folder}/munge/{kind}" for kind in ("key", "pid", "seed", "log")]
        self._start("munged", "munged", "-F", "--force", *munge, f"--socket={self.folder}/munge/socket")
        self._start("slurmctld", "slurmctld", "-D")
        for node in ("cpu1", "gpu1"):
            self.start_node(node)
        self.wait_for(lambda: self.run("sinfo", "-h", "-N", "-o", "%N %T").count(" idle") >= 2, 60)

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        self._start(node, "slurmd", "-D", "-N", node)

    def stop_node(self, node: str) -> None:
        """End a node's daemon and all of its jobs' processes, as a power cut would."""
        self.daemons.pop(node).kill()
        numbers = self.run("squeue", "-h", "-t", "R", "-w", node, "-o", "%i").split()
        for process in psutil.process_iter():
            try:
                title, environment = " ".join(process.cmdline()), process.environ()
            except psutil.Error:
                continue
            if environment.get("SLURMD_NODENAME") == node or any(f"slurmstepd: [{one}." in title for one in numbers):
                process.kill()

    def stop(self) -> None:
        """Cancel all jobs and end all daemons, the newest first."""
        self.run("scancel", "--user=root")
        time.sleep(1)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()

    def run(self, *command: str) -> str:
        """What a command of Slurm's prints."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout

    def jobs(self, states: str = "R") -> dict[str, str]:
        """Comments (rule and wildcards) of the jobs in `states`, by job number."""
        lines = self.run("squeue", "-h", "-t", states, "-o", "%i %k").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def wait_for(self, condition, seconds: float):
        """The first true value of `condition`, asked again and again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(0.2)
        raise TimeoutError(f"{condition} did not become true in {seconds} s")

    def _start(self, name: str, *command: str) -> None:
        """Start a daemon, which ends with this process however that ends: pytest-xdist kills its workers."""
        command = ("setpriv", "--pdeathsig", "TERM", *command)
        log = (self.folder / "log" / f"{name}.out").open("w")
        self.daemons[name] = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

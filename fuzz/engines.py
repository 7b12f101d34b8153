"""The engines that run the fuzz targets: how each is built, started and understood."""
import glob
import hashlib
import os
import re
import shutil

from progress import Progress, watch

HERE = os.path.dirname(os.path.abspath(__file__))
LONGEST = 8192  # octets of an input

# Findings end the process with a stack that names functions and lines.
SANITIZERS = {
    "ASAN_OPTIONS": "halt_on_error=1:abort_on_error=1:symbolize=1",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1:symbolize=1",
}


class Campaign:
    """What a campaign reads and writes."""

    def __init__(self, target, work):
        self.target = target
        self.dictionary = os.path.join(HERE, f"{target}.dict")
        self.seeds = os.path.join(HERE, "seeds", target)
        self.work = work
        self.findings = os.path.join(work, "findings", target)
        os.makedirs(self.findings, exist_ok=True)

    def found(self):
        return {os.path.join(self.findings, name) for name in os.listdir(self.findings)}


class LibFuzzer:
    name, compiler, package = "libfuzzer", "clang", "clang"
    options = ("-Db_sanitize=address,undefined",)

    @staticmethod
    def environment():
        return dict(os.environ, **SANITIZERS)

    @staticmethod
    def corpus(campaign):
        return os.path.join(campaign.work, "corpus", campaign.target)

    def run(self, program, campaign, seconds):
        """Returns (exit status, last output, progress)."""
        os.makedirs(self.corpus(campaign), exist_ok=True)
        command = [program, f"-max_total_time={seconds}", f"-dict={campaign.dictionary}",
                   f"-max_len={LONGEST}", f"-artifact_prefix={campaign.findings}/",
                   "-print_final_stats=1", "-timeout=5", self.corpus(campaign), campaign.seeds]
        return watch(command, self.environment(), campaign.target, seconds, self.measure)

    @staticmethod
    def measure(output):
        lines = re.findall(r"^#(\d+)\t.*?cov: (\d+) .*?corp: (\d+)/.*?exec/s: (\d+)", output, re.M)
        if not lines:
            return None
        runs, edges, kept, rate = lines[-1]
        final = re.findall(r"average_exec_per_sec:\s+(\d+)", output)
        return Progress(runs, final[-1] if final else rate, edges, kept)


class Afl:
    name, compiler, package = "afl", "afl-clang-fast", "afl++"
    options = ()

    def run(self, program, campaign, seconds):
        """Returns (exit status, last output, progress)."""
        corpus = os.path.join(campaign.work, "afl-corpus", campaign.target)
        shutil.rmtree(corpus, ignore_errors=True)
        os.makedirs(corpus)
        environment = dict(os.environ, AFL_NO_UI="1", AFL_SKIP_CPUFREQ="1", AFL_NO_AFFINITY="1",
                           AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES="1")
        command = ["afl-fuzz", "-i", campaign.seeds, "-o", corpus, "-V", str(seconds),
                   "-G", str(LONGEST), "-x", campaign.dictionary, "--", program]
        told = watch(command, environment, campaign.target, seconds,
                     lambda _: self.measure(os.path.join(corpus, "default")))
        for kind in ("crashes", "hangs"):
            for path in glob.glob(os.path.join(corpus, "default", kind, "id*")):
                with open(path, "rb") as file:
                    name = hashlib.sha1(file.read()).hexdigest()
                shutil.copy(path, os.path.join(campaign.findings, f"{kind}-{name}"))
        return told

    @staticmethod
    def measure(directory):
        """From the last line of plot_data, which is written every few seconds."""
        try:
            with open(os.path.join(directory, "plot_data"), encoding="ascii") as file:
                fields = file.read().splitlines()[-1].split(", ")
        except OSError:
            return None
        if len(fields) < 13 or fields[0].startswith("#"):  # only the head is written yet
            return None
        return Progress(runs=fields[11], rate=fields[10], edges=fields[12], kept=fields[3])


ENGINES = {engine.name: engine for engine in (LibFuzzer(), Afl())}

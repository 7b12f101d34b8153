"""Runs a fuzzing engine and tells how far it is: a line that is redrawn on a terminal, else a line
every ten seconds."""
import collections
import os
import selectors
import subprocess
import sys
import time

# What an engine tells of itself; rates are per second.
Progress = collections.namedtuple("Progress", "runs rate edges kept")

TAIL = 64 * 1024  # octets of output that are kept


class Line:
    """The line that shows progress."""

    def __init__(self, stream):
        self.stream = stream
        self.redrawn = stream.isatty()
        self.period_s = 0.5 if self.redrawn else 10

    def show(self, text):
        print(f"\r{text}\x1b[K" if self.redrawn else text, end="" if self.redrawn else "\n",
              file=self.stream, flush=True)

    def clear(self):
        if self.redrawn:
            print("\r\x1b[K", end="", file=self.stream, flush=True)


def describe(progress):
    return (f"{progress.runs} runs, {progress.rate} a second, {progress.edges} edges, "
            f"{progress.kept} inputs kept")


def watch(command, environment, name, seconds, measure):
    """Returns (exit status, last output, last progress).

    measure is given the last output and returns Progress, or None where nothing is told yet. An
    interrupt ends the engine, which is on this terminal too, and with it the campaign in good order.
    """
    line, start, tail, latest = Line(sys.stdout), time.monotonic(), b"", None
    shown, interrupted = start, False
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process, \
            selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if now - shown >= line.period_s:
                shown = now
                latest = measure(tail.decode(errors="replace")) or latest
                told = describe(latest) if latest else "starting"
                line.show(f"{name}: {now - start:.0f} of {seconds} s, {told}")
            try:
                ready = selector.select(max(0.0, shown + line.period_s - now))
            except KeyboardInterrupt:
                interrupted = True
                continue
            if ready:
                octets = os.read(process.stdout.fileno(), 65536)
                if not octets:
                    break
                tail = (tail + octets)[-TAIL:]
    line.clear()
    output = tail.decode(errors="replace")
    return 0 if interrupted else process.returncode, output, measure(output) or latest

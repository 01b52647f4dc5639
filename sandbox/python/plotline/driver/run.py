"""One run of a cell, from the driver's side: its limits, what came of it, and the words for how it ended."""

import os
import secrets
import signal
import time
from dataclasses import dataclass, field

from plotline.driver.output import RunOutput
from plotline.text import megabytes, seconds

FILES_STAY = "The files in /mnt/data are still there"
VARIABLES_GONE = f"Variables and imports of earlier cells are gone; {FILES_STAY[0].lower()}{FILES_STAY[1:]}"

Error = dict[str, str]


@dataclass
class Run:
    """State of the one run that is under way."""

    id: int
    timeout_ms: int
    grace_ms: int
    output: RunOutput
    seed: int | None = None
    """Where the cell's random numbers begin; None: they go on."""
    clock_ms: float | None = None
    """What the cell's clock shows at its begin; None: the real time."""
    started: float = 0.0
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    result_count: int = 0
    result_bytes: int = 0
    guard_kills: int = 0
    """Children that the memory guard ended."""
    results_cut: bool = False
    truncated: bool = False
    stop_reason: str | None = None
    """`timeout` or `cancelled` once the interrupt was sent."""
    kill_at: float | None = None
    interrupt_at: float | None = None
    """Monotonic time to try the interrupt again: the kernel had not begun the cell yet."""

    def start_clock(self) -> None:
        self.started = time.monotonic()

    def deadline(self) -> float:
        """Monotonic time of the next step against the run: its interrupt, then its kill."""
        return self.started + self.timeout_ms / 1000 if self.kill_at is None else self.kill_at

    def duration_ms(self) -> int:
        return round((time.monotonic() - self.started) * 1000)


def stopped_error(run: Run, *, state_kept: bool, traceback: str) -> Error:
    """The error of a run that we stopped, by its interrupt or by killing the kernel."""
    kept = f"Variables are kept as they were at that moment. {FILES_STAY}."
    state = kept if state_kept else f"It did not react to the interrupt, so its Python process was ended. {VARIABLES_GONE}."
    if run.stop_reason == "cancelled":
        return {"name": "Cancelled", "message": f"The cell was stopped on request. {state}", "traceback": traceback}
    advice = "Try fewer rows, a vectorised operation instead of a loop, or split the work over several cells."
    message = f"The cell ran longer than its limit of {seconds(run.timeout_ms)} and was stopped. {state} {advice}"
    return {"name": "Timeout", "message": message, "traceback": traceback}


def out_of_memory_error(limit: int | None) -> Error:
    """`limit` in bytes; None where it is not known."""
    size = f"the memory limit of {megabytes(limit)}" if limit is not None else "the memory limit"
    message = (
        f"The cell went over {size} (Python and the files in /mnt/data together), so its Python process was ended. "
        f"{VARIABLES_GONE}. Try reading only the columns that are needed, smaller dtypes (category, float32), chunks "
        "(`chunksize=`), or aggregating before joining."
    )
    return {"name": "OutOfMemory", "message": message, "traceback": ""}


def died_error(wait_status: int | None, reason: str | None) -> Error:
    """The error of a kernel that ended by itself, or that had to be ended for `reason`."""
    if wait_status is not None:
        how = f"the Python process ended: {_how_it_ended(wait_status)}"
    else:
        how = f"the Python process had to be ended, because {reason}"
    return {"name": "KernelDied", "message": f"While the cell ran, {how}. {VARIABLES_GONE}.", "traceback": ""}


def idle_death_note(wait_status: int | None, *, out_of_memory: bool) -> str:
    """One line for the next run when a kernel ended while no cell ran."""
    if out_of_memory:
        why = " for lack of memory"
    else:
        why = "" if wait_status is None else f" ({_how_it_ended(wait_status)})"
    return f"[since the last cell the Python process ended{why}; {VARIABLES_GONE[0].lower()}{VARIABLES_GONE[1:]}]"


def _how_it_ended(wait_status: int) -> str:
    code = os.waitstatus_to_exitcode(wait_status)
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"

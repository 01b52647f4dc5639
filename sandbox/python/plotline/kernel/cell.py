"""Running one cell to its outcome."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plotline import ledger
from plotline.frames import Header
from plotline.kernel import repeat
from plotline.kernel.channel import Channel
from plotline.kernel.errors import describe
from plotline.kernel.shell import CellShell

if TYPE_CHECKING:
    from plotline.kernel.main import Interrupts


def run_cell(shell: CellShell, channel: Channel, code: str, interrupts: "Interrupts", request: Header) -> dict[str, Any]:
    """
    Runs `code` and publishes what it displayed; returns `status`, `error` and `truncated` for the driver. `request` may give the
    cell a `seed` for its random numbers and, in `clockMs`, a clock of its own.
    """
    shell.publisher.truncated = False
    shell.publisher.pictures = 0
    shell.figures.begin()
    problem: BaseException | None = None
    clock = None
    try:
        if request.get("seed") is not None:
            repeat.seed_random_numbers(request["seed"])
        if request.get("clockMs") is not None:
            clock = repeat.set_clock(request["clockMs"])
        try:
            interrupts.arm()
            result = shell.run_cell(code, store_history=True)
            problem = result.error_before_exec or result.error_in_exec
            if isinstance(problem, KeyboardInterrupt):
                shell.figures.discard()
            else:
                shell.figures.end()
        finally:
            interrupts.disarm()
    except BaseException as escaped:
        interrupts.disarm()
        problem = problem or escaped
    finally:
        if clock is not None:
            clock.stop()
    _publish_ledger(shell, code)
    if isinstance(problem, SystemExit) and problem.code in (None, 0):
        problem = None
    error = None if problem is None else describe(problem)
    return {"status": "ok" if error is None else "error", "error": error, "truncated": shell.publisher.truncated}


def _publish_ledger(shell: CellShell, code: str) -> None:
    """Which rows the cell loaded and lost, as the last of its results; nothing where it counted none."""
    with suppress(Exception):
        page = ledger.BOOK.page(code, shell.user_ns)
        if page is not None and ledger.says_something(page):
            with shell.publisher.holding():
                shell.publisher.publish({ledger.LEDGER_MIME: page})

"""IPython's shell without a terminal: magics, `!commands` and top-level await as in a notebook, output as MIME bundles."""

import builtins
import getpass
import signal
import subprocess
import sys
from typing import Any, NoReturn

import plotline.kernel.ipython  # noqa: F401, I001 — before anything of IPython
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from plotline.charts.recording import install_recording
from plotline.kernel.bundles import Publisher
from plotline.kernel.channel import Channel
from plotline.kernel.figures import FigureCollector, install_show
from plotline.kernel.formats import is_drawing_handle, register_formats


_PLAIN = {bool, int, float, complex, str, bytes}
"""Types that have no display but their text, unless user code registers one."""


class CellDisplayHook(DisplayHook):
    """The last expression of a cell becomes a result, unless it is only a handle to something drawn."""

    def __call__(self, result: Any = None) -> None:
        if result is None or is_drawing_handle(result):
            return
        with self.shell.publisher.holding():
            super().__call__(result)
        # Out[…] and older results would keep every shown table in memory.
        self.shell.user_ns["_"] = result

    def compute_format_data(self, result: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """IPython asks ten formatters about every value, which for a number costs more than the rest of the cell."""
        formatters = self.shell.display_formatter.formatters
        kind = type(result)
        if kind in _PLAIN and not any(kind in formatter.type_printers for mime, formatter in formatters.items() if mime != "text/plain"):
            return {"text/plain": formatters["text/plain"](result)}, {}
        return super().compute_format_data(result)

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        self.shell.publisher.publish(format_dict)

    def finish_displayhook(self) -> None:
        pass


class CellDisplayPublisher(DisplayPublisher):
    """`display()` and everything built on it."""

    def publish(self, data: dict[str, Any], *args: Any, **keywords: Any) -> None:
        self.shell.publisher.publish(data)

    def clear_output(self, wait: bool = False) -> None:
        pass


class CellCompiler(CachingCompiler):
    """Names code as a person would: `<cell 3>`."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        return f"<cell {number}>"


class CellShell(InteractiveShell):
    """One kernel's shell. Errors are not printed: the cell's outcome carries them."""

    displayhook_class = Type(CellDisplayHook)
    display_pub_class = Type(CellDisplayPublisher)
    compiler_class = Type(CellCompiler)
    publisher: Publisher
    figures: FigureCollector

    def showtraceback(self, *args: Any, **keywords: Any) -> None:
        pass

    def showsyntaxerror(self, *args: Any, **keywords: Any) -> None:
        pass

    def showindentationerror(self) -> None:
        pass

    def enable_gui(self, gui: str | None = None) -> None:
        pass

    def enable_matplotlib(self, gui: str | None = None) -> tuple[str, str]:
        """`%matplotlib inline` and its kin change nothing: figures are collected anyway."""
        return "agg", "agg"

    def ask_exit(self) -> NoReturn:
        raise SystemExit(0)

    def system(self, cmd: str) -> None:
        """`!cmd` with its output on the cell's own streams; ends with the cell when that is interrupted."""
        sys.stdout.flush()
        process = subprocess.Popen(self.var_expand(cmd, depth=1), shell=True, stdin=subprocess.DEVNULL)
        try:
            self.user_ns["_exit_code"] = process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGTERM)
            raise

    system_raw = system_piped = system


def make_shell(channel: Channel) -> CellShell:
    """The shell of this kernel. Replaces `input` and `getpass`, which nobody could answer."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.cache_size = 0
    config.InteractiveShell.colors = "NoColor"
    config.InteractiveShell.color_info = False
    config.InteractiveShell.autoindent = False
    config.InteractiveShell.show_rewritten_input = False
    config.InteractiveShell.xmode = "Plain"
    shell = CellShell.instance(config=config)
    shell.publisher = Publisher(channel)
    shell.figures = FigureCollector(shell.publisher)
    register_formats(shell, shell.publisher, shell.figures)
    install_show(shell.figures)
    install_recording(shell.figures.note_saved)
    builtins.input = _no_input
    getpass.getpass = _no_input
    return shell


def warm_shell(shell: CellShell) -> None:
    """The first cell's way through IPython, once, without a trace in the shell."""
    shell.run_cell("1", store_history=False, silent=True)


def _no_input(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("input() does not work here: nobody can type into a cell. Put the value into the code.")

"""Checks a notebook against nbformat's schema and runs it from top to bottom, as a person elsewhere would.

    python3 - NAME < run_notebook.py

Prints one JSON object: what is wrong with it before it runs, and every code cell's outputs before and after.
"""

import importlib.util
import json
import sys
import warnings

import nbclient
import nbformat

warnings.simplefilter("error", nbformat.warnings.DuplicateCellId)


def main(name: str) -> None:
    notebook = nbformat.read(name, nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    before = {cell.id: outputs(cell) for cell in notebook.cells if cell.cell_type == "code"}
    nbclient.NotebookClient(notebook, timeout=120, kernel_name=notebook.metadata.kernelspec.name).execute()
    nbformat.validate(notebook)
    after = {cell.id: outputs(cell) for cell in notebook.cells if cell.cell_type == "code"}
    nbformat.write(notebook, f"run-{name}")
    found = importlib.util.find_spec("plotline") is not None
    json.dump({"version": [notebook.nbformat, notebook.nbformat_minor], "plotlineInstalled": found, "before": before, "after": after}, sys.stdout)


def outputs(cell: nbformat.NotebookNode) -> dict[str, object]:
    """Streams joined, the types of displayed things, the errors' names."""
    streams = {name: "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == name) for name in ("stdout", "stderr")}
    shown = [sorted(out.data) for out in cell.outputs if out.output_type in ("display_data", "execute_result")]
    return {**streams, "shown": shown, "errors": [out.ename for out in cell.outputs if out.output_type == "error"]}


main(sys.argv[1])

/** What the first code cell must bring about wherever the notebook is opened. */
export interface SetUp {
  /** Files that must lie beside the notebook, by the names that the code uses. */
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
  /** Long output that was kept for the model and that later code reads: nobody else has these files, so they are written there. */
  readonly texts: readonly { readonly name: string; readonly text: string }[];
  /** The loader as a zip in base64; `null` where no cell uses it. */
  readonly archive: string | null;
  /** pandas' display options of the sandbox, by which its tables were printed; none where no cell uses pandas. */
  readonly tableOptions: Readonly<Record<string, number>>;
  /** Some cell begins its random numbers anew. */
  readonly hasSeeds: boolean;
}

/** Python for any version from 3.10 on. It raises where a file is missing, and leaves no names behind but `plotline_seed`. */
export function setUpCode({ files, texts, archive, tableOptions, hasSeeds }: SetUp): string {
  const parts = ['# Written by Plotline. Checks the files and provides what the cells below use.'];
  if (files.length > 0) parts.push(fileCheck(files));
  if (texts.length > 0) parts.push(textFiles(texts));
  if (archive !== null) parts.push(archiveImport(archive));
  const options = Object.entries(tableOptions).map(
    ([name, value]) => `pandas.set_option(${pythonText(name)}, ${value})`,
  );
  if (options.length > 0) parts.push(['import pandas', ...options, 'del pandas'].join('\n'));
  if (hasSeeds) parts.push(seeding);
  parts.push(`print(${pythonText(doneText(files.length))})`);
  return parts.join('\n\n');
}

/** The line that begins a cell whose random numbers begin anew. */
export function seedLine(seed: number): string {
  return `plotline_seed(${seed})`;
}

function doneText(files: number): string {
  if (files === 0) return 'Ready.';
  return files === 1 ? 'Ready: the file is here.' : `Ready: all ${files} files are here.`;
}

function fileCheck(files: SetUp['files']): string {
  const rows = files.map(({ name, sha256 }) => `    ${pythonText(name)}: "${sha256}",`);
  return `def _plotline_check_files(expected):
    import hashlib
    import os

    missing = [name for name in expected if not os.path.isfile(name)]
    if missing:
        raise FileNotFoundError("Put these files into " + os.getcwd() + " and run this cell again: " + ", ".join(missing))
    for name, digest in expected.items():
        found = hashlib.sha256()
        with open(name, "rb") as file:
            while part := file.read(1 << 20):
                found.update(part)
        if found.hexdigest() != digest:
            print("Not the file this notebook was made with: " + name + ". The outputs below are of another one.")

_plotline_check_files({
${rows.join('\n')}
})
del _plotline_check_files`;
}

function textFiles(texts: SetUp['texts']): string {
  const rows = texts.map(({ name, text }) => `    ${pythonText(name)}: ${pythonText(text)},`);
  return `def _plotline_write_texts(texts):
    import os

    for name, text in texts.items():
        if not os.path.exists(name):
            with open(name, "w", encoding="utf-8", newline="") as file:
                file.write(text)

# Long output of earlier cells, which later ones read.
_plotline_write_texts({
${rows.join('\n')}
})
del _plotline_write_texts`;
}

/** The package as it is in the sandbox comes first there: what is loaded already is not loaded again. */
function archiveImport(archive: string): string {
  return `def _plotline_import(archive):
    import atexit
    import base64
    import os
    import shutil
    import sys
    import tempfile

    if "plotline" in sys.modules:
        return
    folder = tempfile.mkdtemp(prefix="plotline-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, "plotline.zip")
    with open(path, "wb") as file:
        file.write(base64.b64decode(archive))
    sys.path.insert(0, path)

# The package "plotline" (plotline.load, plotline.show and the style of the charts) as a zip of Python source.
_plotline_import("${archive}")
del _plotline_import

try:
    from plotline.charts.style import apply_house_style
    apply_house_style()
    del apply_house_style
except ImportError:
    pass  # without matplotlib there are no charts`;
}

const seeding = `def plotline_seed(number):
    """Random numbers begin anew from here, as they did when the cell below ran first."""
    import random

    random.seed(number)
    try:
        import numpy
        numpy.random.seed(number)
        # Whatever numpy makes without a seed of its own asks this function for one.
        numpy.random.bit_generator.randbits = random.Random(number).getrandbits
    except (ImportError, AttributeError):
        pass`;

/** JSON's strings are Python's. */
function pythonText(text: string): string {
  return JSON.stringify(text);
}

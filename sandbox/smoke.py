"""Smoke test of the sandbox image: every library is used once, under the limits of a real sandbox.

    docker run --rm -i --network none --read-only --cap-drop ALL --tmpfs /tmp --tmpfs /mnt/data:uid=10001 \
      --entrypoint python3 plotline-sandbox:latest - < sandbox/smoke.py

Prints one line per check with its seconds; the exit code is the number of checks that failed.
"""

import importlib
import io
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

MODULES = (
    "IPython numpy scipy.stats scipy.optimize scipy.signal pandas matplotlib.pyplot mpl_toolkits.mplot3d seaborn plotly.express altair "
    "sklearn.ensemble sklearn.cluster statsmodels.api statsmodels.formula.api sympy openpyxl xlsxwriter xlrd xlwt odf "
    "msoffcrypto docx pypdf reportlab.pdfgen.canvas PIL.Image qrcode zxingcpp cv2 moviepy imageio soundfile networkx "
    "pygame bs4 lxml.etree html5lib tabulate defusedxml charset_normalizer threadpoolctl"
).split()

SCRIPTS = {
    "Latin": "Umsätze",
    "Cyrillic": "Выручка",
    "Chinese": "销售额",
    "Japanese": "売上ひらがな",
    "Korean": "매출",
    "Arabic": "الإيرادات",
    "Hindi": "राजस्व",
    "Hebrew": "הכנסות",
    "Thai": "รายได้",
    "emoji": "📈🎉😀🚗",
    "symbols": "€₹₿→√Σ",
}

checks: list[Callable[[], str]] = []


def check(function: Callable[[], str]) -> Callable[[], str]:
    checks.append(function)
    return function


@check
def the_sandbox_is_closed() -> str:
    assert os.getuid() == 10001, os.getuid()
    try:
        Path("/opt/plotline/x").write_text("x")
    except OSError as problem:
        return f"uid {os.getuid()}, root file system: {problem.strerror}"
    raise AssertionError("the root file system can be written to")


@check
def matplotlib_starts_with_the_cache_of_the_image() -> str:
    """What the driver does first; after it, importing matplotlib must neither search for fonts nor say anything."""
    import shutil

    shutil.copytree("/opt/plotline/matplotlib", os.environ["MPLCONFIGDIR"])
    code = "import matplotlib.pyplot, matplotlib; matplotlib.font_manager.fontManager"
    started = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    assert run.stdout + run.stderr == "", run.stdout + run.stderr
    assert seconds < 5, seconds
    return f"{seconds:.2f} s, no message"


@check
def every_module_imports() -> str:
    times: list[tuple[float, str]] = []
    for name in MODULES:
        started = time.perf_counter()
        importlib.import_module(name)
        times.append((time.perf_counter() - started, name))
    return f"{len(MODULES)} modules; slowest: " + ", ".join(f"{name} {seconds:.2f} s" for seconds, name in sorted(times)[-4:])


@check
def matplotlib_writes_every_script() -> str:
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, text in SCRIPTS.items():
            figure, axes = plt.subplots(figsize=(3, 2))
            axes.bar([text], [1])
            axes.set_title(text, fontweight="bold")
            try:
                figure.savefig(io.BytesIO(), format="png")
            except Warning as problem:
                raise AssertionError(f"{name}: {problem}") from problem
            plt.close(figure)
    return ", ".join(SCRIPTS)


@check
def charts() -> str:
    import altair
    import matplotlib.pyplot as plt
    import numpy
    import pandas
    import plotly.express
    import seaborn

    frame = pandas.DataFrame({"month": ["Jan", "Feb", "Mar"], "revenue": [3.0, 5.0, 4.0]})
    for kind in ("line", "bar", "barh", "pie", "box", "area"):
        axes = frame.plot(kind=kind, x="month", y="revenue") if kind != "pie" else frame.set_index("month").plot.pie(y="revenue")
        axes.figure.savefig("/mnt/data/chart.png")
        plt.close(axes.figure)
    axes = seaborn.heatmap(numpy.eye(4), annot=True)
    axes.figure.savefig("/mnt/data/heat.svg")
    plt.figure().add_subplot(projection="3d").plot_surface(*numpy.meshgrid(range(3), range(3)), numpy.eye(3))
    plt.savefig("/mnt/data/three.pdf")
    plt.close("all")
    html = plotly.express.bar(frame, x="month", y="revenue").to_html(include_plotlyjs=True)
    assert len(html) > 1_000_000, "plotly.js is not inside"
    spec = altair.Chart(frame).mark_bar().encode(x="month", y="revenue").to_dict()
    assert spec["mark"]["type"] == "bar"
    return f"plotly HTML {len(html) / 1e6:.1f} MB, Vega-Lite {spec['$schema'].rsplit('/', 1)[-1]}"


@check
def statistics() -> str:
    import numpy
    import sklearn.ensemble
    import sklearn.linear_model
    import statsmodels.api
    import sympy
    from scipy import optimize, stats

    random = numpy.random.default_rng(1)
    x = random.normal(size=(200, 2))
    y = x @ [2.0, -1.0] + random.normal(scale=0.1, size=200)
    slope = statsmodels.api.OLS(y, statsmodels.api.add_constant(x)).fit().params[1]
    forest = sklearn.ensemble.RandomForestRegressor(n_estimators=20).fit(x, y).score(x, y)
    root = optimize.brentq(lambda value: value**2 - 2, 0, 2)
    symbol = sympy.symbols("x")
    assert sympy.integrate(symbol**2, symbol) == symbol**3 / 3
    return f"slope {slope:.2f}, forest R2 {forest:.2f}, root {root:.4f}, p {stats.ttest_1samp(y, 0).pvalue:.2f}"


@check
def spreadsheets_go_out_and_come_back() -> str:
    import pandas
    import xlrd
    import xlwt

    frame = pandas.DataFrame({"Ü name": ["a", "b"], "value": [1.5, 2.5]})
    for suffix, engine in (("xlsx", "openpyxl"), ("xlsx", "xlsxwriter"), ("ods", "odf")):
        target = f"/mnt/data/{engine}.{suffix}"
        frame.to_excel(target, engine=engine, index=False)
        pandas.testing.assert_frame_equal(pandas.read_excel(target), frame)
    book = xlwt.Workbook()
    book.add_sheet("s").write(0, 0, "old")
    book.save("/mnt/data/old.xls")
    assert xlrd.open_workbook("/mnt/data/old.xls").sheet_by_index(0).cell_value(0, 0) == "old"
    assert list(pandas.read_excel("/mnt/data/old.xls").columns) == ["old"]
    return "xlsx (openpyxl, xlsxwriter), ods, xls"


@check
def a_password_protected_workbook() -> str:
    import msoffcrypto

    with open("/mnt/data/openpyxl.xlsx", "rb") as plain, open("/mnt/data/locked.xlsx", "wb") as locked:
        msoffcrypto.OfficeFile(plain).encrypt("secret", locked)
    with open("/mnt/data/locked.xlsx", "rb") as locked:
        file = msoffcrypto.OfficeFile(locked)
        assert file.is_encrypted()
        file.load_key(password="secret")
        opened = io.BytesIO()
        file.decrypt(opened)
    assert opened.getvalue() == Path("/mnt/data/openpyxl.xlsx").read_bytes()
    return "locked and opened"


@check
def documents() -> str:
    import docx
    import pypdf
    from reportlab.pdfgen import canvas

    page = canvas.Canvas("/mnt/data/page.pdf")
    page.drawString(72, 720, "Invoice 4711")
    page.save()
    assert "Invoice 4711" in pypdf.PdfReader("/mnt/data/page.pdf").pages[0].extract_text()
    text = subprocess.run(["pdftotext", "/mnt/data/page.pdf", "-"], capture_output=True, text=True, check=True).stdout
    assert "Invoice 4711" in text
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", "/mnt/data/page.pdf", "/mnt/data/page"], check=True)
    document = docx.Document()
    document.add_paragraph("Bericht")
    document.save("/mnt/data/report.docx")
    assert docx.Document("/mnt/data/report.docx").paragraphs[0].text == "Bericht"
    return "pdf by reportlab, read by pypdf and pdftotext, drawn by pdftoppm; docx"


@check
def text_from_a_picture() -> str:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (700, 120), "white")
    font = ImageFont.truetype("DejaVuSans.ttf", 48)
    ImageDraw.Draw(picture).text((20, 30), "Total 1234.50 EUR", fill="black", font=font)
    picture.save("/mnt/data/text.png")
    read = subprocess.run(["tesseract", "/mnt/data/text.png", "-"], capture_output=True, text=True, check=True).stdout
    assert "Total 1234.50 EUR" in read, read
    page = subprocess.run(["tesseract", "/mnt/data/page.png", "-"], capture_output=True, text=True, check=True).stdout
    assert "Invoice 4711" in page, page
    return read.strip()


@check
def qr_codes() -> str:
    import cv2
    import qrcode
    import zxingcpp
    from PIL import Image

    qrcode.make("https://example.com/?q=ü").save("/mnt/data/code.png")
    text = zxingcpp.read_barcodes(Image.open("/mnt/data/code.png").convert("RGB"))[0].text
    assert text == "https://example.com/?q=ü", text
    seen, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.imread("/mnt/data/code.png"))
    assert seen.startswith("https://example.com/"), seen
    return text


@check
def pictures() -> str:
    import cv2
    import numpy
    from PIL import Image, features
    from sklearn.cluster import KMeans

    picture = Image.effect_noise((320, 180), 60).convert("RGB")
    for suffix in ("png", "jpg", "gif", "webp", "bmp", "tiff"):
        picture.save(f"/mnt/data/picture.{suffix}")
        assert Image.open(f"/mnt/data/picture.{suffix}").size == (320, 180)
    pixels = cv2.cvtColor(cv2.imread("/mnt/data/picture.jpg"), cv2.COLOR_BGR2RGB)
    edges = cv2.Canny(cv2.GaussianBlur(cv2.resize(pixels, (160, 90)), (5, 5), 0), 50, 150)
    contours, _ = cv2.findContours(edges, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    KMeans(4, n_init=1).fit(numpy.asarray(picture).reshape(-1, 3)[:2000])
    return f"OpenCV {cv2.__version__}, {len(contours)} contours, WebP {features.check('webp')}"


@check
def video_and_sound() -> str:
    import cv2
    import imageio.v3
    import moviepy
    import numpy
    import soundfile

    frames = [numpy.full((90, 160, 3), shade, numpy.uint8) for shade in range(0, 240, 5)]
    moviepy.ImageSequenceClip(frames, fps=24).write_videofile("/mnt/data/moviepy.mp4", logger=None)
    imageio.v3.imwrite("/mnt/data/imageio.mp4", frames, fps=24, macro_block_size=2)
    imageio.v3.imwrite("/mnt/data/imageio.gif", frames[:10], duration=100, loop=0)
    soundfile.write("/mnt/data/tone.wav", numpy.sin(numpy.arange(48_000) / 20) / 2, 48_000)
    os.makedirs("/mnt/data/frames")
    for number, frame in enumerate(frames):
        cv2.imwrite(f"/mnt/data/frames/{number:03}.png", frame)
    command = "ffmpeg -v error -y -framerate 24 -i /mnt/data/frames/%03d.png -i /mnt/data/tone.wav -pix_fmt yuv420p -shortest"
    subprocess.run([*command.split(), "/mnt/data/ffmpeg.mp4"], check=True)
    writer = cv2.VideoWriter("/mnt/data/opencv.mp4", cv2.VideoWriter_fourcc(*"mp4v"), 24, (160, 90))
    for frame in frames:
        writer.write(frame)
    writer.release()
    probe = "ffprobe -v error -select_streams v -show_entries stream=codec_name,avg_frame_rate -of csv=p=0"
    said = []
    for name in ("moviepy", "imageio", "ffmpeg", "opencv"):
        run = subprocess.run([*probe.split(), f"/mnt/data/{name}.mp4"], capture_output=True, text=True, check=True)
        assert run.stdout.strip().endswith("24/1"), f"{name}: {run.stdout}"
        said.append(f"{name} {run.stdout.strip()}")
    return ", ".join(said)


@check
def games_graphs_and_pages() -> str:
    import bs4
    import networkx
    import pandas
    import pygame

    pygame.init()
    surface = pygame.display.set_mode((64, 48))
    surface.blit(pygame.font.Font(None, 20).render("Hi", True, "white"), (0, 0))
    pygame.image.save(surface, "/mnt/data/game.png")
    assert networkx.shortest_path_length(networkx.path_graph(5), 0, 4) == 4
    networkx.draw(networkx.karate_club_graph())
    table = "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"
    assert pandas.read_html(io.StringIO(table))[0].a[0] == 1
    assert bs4.BeautifulSoup(table, "html5lib").td.text == "1"
    return f"pygame {pygame.version.ver}, networkx {networkx.__version__}"


def main() -> int:
    failed = 0
    for function in checks:
        started = time.perf_counter()
        try:
            said = function()
            mark = "ok  "
        except Exception as problem:  # noqa: BLE001 - a failed check must not hide the next one
            failed += 1
            mark, said = "FAIL", f"{type(problem).__name__}: {problem}"
        print(f"{mark} {time.perf_counter() - started:6.2f} s  {function.__name__.replace('_', ' ')}: {said}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())

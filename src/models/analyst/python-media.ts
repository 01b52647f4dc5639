import type { ListingPlan, MediaPlan, PalettePlan, QrPlan, TextPlan } from './plan.ts';
import { py, pyFlag } from './python-source.ts';

/** Python for pictures, animations, QR codes, palettes and text. */

export function mediaCode(plan: MediaPlan): string {
  if (plan.animation) return animationCode(plan);
  const shuffle = plan.shuffle
    ? ['random.Random(seed).shuffle(pictures)']
    : ['pictures.sort(key=lambda picture: picture[0].lower())'];
  const output = outputName(plan);
  const write =
    plan.kind === 'gif'
      ? [
          'frames = [letterbox(data).quantize(256) for _, data in pictures]',
          `frames[0].save(${py(output)}, save_all=True, append_images=frames[1:], duration=int(1000 * seconds), loop=0)`,
        ]
      : [
          'with tempfile.TemporaryDirectory() as folder:',
          '    for number, (_, data) in enumerate(pictures):',
          '        letterbox(data).save(f"{folder}/{number:05d}.png")',
          '    subprocess.run([',
          '        "ffmpeg", "-y", "-loglevel", "error", "-framerate", str(1 / seconds), "-i", f"{folder}/%05d.png",',
          `        "-vf", "fps=${plan.framesPerSecond}", "-t", str(len(pictures) * seconds), "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-movflags", "+faststart", ${py(output)},`,
          '    ], check=True)',
        ];
  return lines(
    'import io',
    'import json',
    'import random',
    ...(plan.kind === 'gif' ? [] : ['import subprocess', 'import tempfile']),
    'import zipfile',
    '',
    'from PIL import Image, ImageOps',
    '',
    `files, seconds, seed = ${py(plan.files)}, ${plan.secondsPerPicture}, ${plan.seed}`,
    'pictures, skipped, sizes = [], [], []',
    '',
    '',
    'def look(name, data):',
    '    """Keeps what PIL can read as a picture."""',
    '    try:',
    '        with Image.open(io.BytesIO(data)) as image:',
    '            image.load()',
    '            sizes.append(ImageOps.exif_transpose(image).size)',
    '        pictures.append((name, data))',
    '    except Exception:',
    '        skipped.append(name)',
    '',
    '',
    'for file in files:',
    '    if not zipfile.is_zipfile(file):',
    '        look(file, open(file, "rb").read())',
    '        continue',
    '    with zipfile.ZipFile(file) as archive:',
    '        for entry in archive.infolist():',
    '            name = entry.filename.rsplit("/", 1)[-1]',
    '            if entry.is_dir() or "__MACOSX" in entry.filename or name.startswith("."):',
    '                continue',
    '            if entry.file_size > 60_000_000 or entry.flag_bits & 1:',
    '                skipped.append(name)',
    '            else:',
    '                look(name, archive.read(entry))',
    '',
    'facts = {"pictures": len(pictures), "skipped": skipped[:10], "skipped_count": len(skipped)}',
    'if pictures:',
    ...[
      ...shuffle,
      '# One frame for all: the largest picture decides, at most 1280 pixels wide or high, even sides for H.264.',
      'scale = min(1, 1280 / max(max(size) for size in sizes))',
      'width = max(2, int(max(size[0] for size in sizes) * scale) // 2 * 2)',
      'height = max(2, int(max(size[1] for size in sizes) * scale) // 2 * 2)',
      '',
      'def letterbox(data):',
      '    with Image.open(io.BytesIO(data)) as image:',
      '        return ImageOps.pad(ImageOps.exif_transpose(image).convert("RGB"), (width, height), color="black")',
      '',
      ...write,
      `facts |= {"file": ${py(output)}, "width": width, "height": height, "seconds": len(pictures) * seconds, "order": [name for name, _ in pictures][:12], "shuffled": ${pyFlag(plan.shuffle)}, "seed": seed}`,
    ].map((line) => (line === '' ? '' : `    ${line}`)),
    'print(json.dumps(facts, ensure_ascii=False))',
  );
}

function outputName(plan: MediaPlan): string {
  const stem = (plan.files.length === 1 ? plan.files[0] : 'pictures')?.replace(/\.[^.]+$/, '') ?? 'pictures';
  return `${stem}.${plan.kind === 'gif' ? 'gif' : 'mp4'}`;
}

function animationCode(plan: MediaPlan): string {
  const output = outputName(plan);
  return lines(
    'import json',
    'import subprocess',
    '',
    'from PIL import Image',
    '',
    `with Image.open(${py(plan.files[0] ?? '')}) as image:`,
    '    frames, (width, height) = getattr(image, "n_frames", 1), image.size',
    'subprocess.run([',
    `    "ffmpeg", "-y", "-loglevel", "error", "-i", ${py(plan.files[0] ?? '')},`,
    `    "-vf", "fps=${plan.framesPerSecond},scale=trunc(iw/2)*2:trunc(ih/2)*2", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-movflags", "+faststart", ${py(output)},`,
    '], check=True)',
    'length = subprocess.run(',
    `    ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", ${py(output)}], capture_output=True, text=True, check=True`,
    ').stdout.strip()',
    `print(json.dumps({"pictures": frames, "animation": True, "file": ${py(output)}, "width": width // 2 * 2, "height": height // 2 * 2, "seconds": float(length), "skipped": [], "skipped_count": 0}))`,
  );
}

export function paletteCode(plan: PalettePlan): string {
  return lines(
    'import json',
    '',
    'import matplotlib.pyplot as plt',
    'import numpy as np',
    'import pandas as pd',
    'from PIL import Image, ImageOps',
    'from sklearn.cluster import KMeans',
    '',
    `with Image.open(${py(plan.file)}) as image:`,
    '    size = image.size',
    '    small = ImageOps.exif_transpose(image).convert("RGBA")',
    'small.thumbnail((160, 160))',
    'pixels = np.asarray(small).reshape(-1, 4)',
    'pixels = pixels[pixels[:, 3] > 127][:, :3].astype(float)',
    `count = min(${plan.colours}, len(np.unique(pixels, axis=0)))`,
    'groups = KMeans(n_clusters=count, n_init=4, random_state=7).fit(pixels)',
    'shares = np.bincount(groups.labels_, minlength=count) / len(pixels)',
    'order = shares.argsort()[::-1]',
    'colours = ["#" + "".join(f"{round(part):02x}" for part in groups.cluster_centers_[at]) for at in order]',
    'result = pd.DataFrame({"colour": colours, "share (%)": (100 * shares[order]).round(1)})',
    '',
    'fig, ax = plt.subplots(layout="constrained")',
    'bars = ax.barh(result["colour"], result["share (%)"], color=colours, edgecolor="lightgrey")',
    'ax.bar_label(bars, labels=[f"{share:.1f}%" for share in result["share (%)"]], padding=3)',
    'ax.invert_yaxis()',
    `ax.set_title(${py(`Colours of ${plan.file}`)})`,
    'ax.set_xlabel("Share of the picture (%)")',
    'ax.set_ylabel("Colour")',
    'ax.margins(x=0.12)',
    'print(json.dumps({"size": size, "colours": result.values.tolist()}))',
    'display(result)',
  );
}

export function qrCode(plan: QrPlan): string {
  return lines(
    'import json',
    '',
    'import qrcode',
    '',
    `text = ${py(plan.text)}`,
    'code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=10, border=4)',
    'code.add_data(text)',
    'code.make(fit=True)',
    'code.make_image(fill_color="black", back_color="white").save("qr-code.png")',
    'print(json.dumps({"file": "qr-code.png", "text": text, "modules": code.modules_count}, ensure_ascii=False))',
  );
}

export function textCode(plan: TextPlan): string {
  const output = `${plan.file.replace(/\.[^.]+$/, '')}.txt`;
  const ending = [
    `open(${py(output)}, "w", encoding="utf-8").write(text)`,
    'facts |= {"characters": len(text.strip()), "words": len(text.split()), "start": text.strip()[:1200]}',
    'print(json.dumps(facts, ensure_ascii=False))',
  ];
  if (plan.from === 'image') {
    return lines(
      'import json',
      'import subprocess',
      '',
      `read = subprocess.run(["tesseract", ${py(plan.file)}, "stdout"], capture_output=True, text=True, check=True)`,
      'text = read.stdout',
      `facts = {"file": ${py(output)}, "recognised": True, "pages": 1}`,
      ...ending,
    );
  }
  return lines(
    'import glob',
    'import json',
    'import subprocess',
    'import tempfile',
    '',
    'from pypdf import PdfReader',
    '',
    `pages = len(PdfReader(${py(plan.file)}).pages)`,
    `text = subprocess.run(["pdftotext", "-layout", ${py(plan.file)}, "-"], capture_output=True, text=True, check=True).stdout`,
    `facts = {"file": ${py(output)}, "pages": pages, "recognised": False}`,
    'if len(text.split()) < 3 * pages:',
    '    # A scan has pictures instead of text: draw the first 20 pages and recognise the letters.',
    '    facts["recognised"] = True',
    '    with tempfile.TemporaryDirectory() as folder:',
    `        subprocess.run(["pdftoppm", "-r", "150", "-l", "20", "-gray", "-png", ${py(plan.file)}, f"{folder}/page"], check=True)`,
    '        images = sorted(glob.glob(f"{folder}/*.png"))',
    '        text = "\\n\\n".join(subprocess.run(["tesseract", image, "stdout"], capture_output=True, text=True).stdout for image in images)',
    ...ending,
  );
}

export function listingCode(plan: ListingPlan): string {
  return lines(
    'import json',
    'import zipfile',
    '',
    'import pandas as pd',
    '',
    `with zipfile.ZipFile(${py(plan.file)}) as archive:`,
    '    entries = [entry for entry in archive.infolist() if not entry.is_dir() and "__MACOSX" not in entry.filename]',
    'result = pd.DataFrame({"file": [entry.filename for entry in entries], "bytes": [entry.file_size for entry in entries]})',
    'endings = result["file"].str.extract(r"\\.(\\w+)$")[0].str.lower().value_counts()',
    'print(json.dumps({"files": len(result), "bytes": int(result["bytes"].sum()), "endings": [[str(name), int(count)] for name, count in endings.head(8).items()]}))',
    'display(result)',
  );
}

function lines(...code: readonly string[]): string {
  return `${code.join('\n')}\n`;
}

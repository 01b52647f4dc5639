"""Prints what each package of the image costs, as the table of sandbox/IMAGE.md.

    docker run --rm -i --entrypoint python3 plotline-sandbox:latest - < sandbox/image/cost.py

A package counts with the packages that come with it and were not counted above it; bytes are those of files that are
still in the image, compiled Python included. Unit: MB of 1,000,000 bytes, as `docker images` counts.
"""

import os
import re
from pathlib import Path

DPKG = Path("/var/lib/dpkg")
LISTED = Path("/opt/plotline/image/packages.txt")


def main() -> None:
    packages = installed()
    providers: dict[str, list[str]] = {}
    for name, fields in packages.items():
        for virtual in re.findall(r"([a-z0-9.+-]+)(?: \([^)]*\))?(?:, |$)", fields.get("Provides", "")):
            providers.setdefault(virtual, []).append(name)

    counted: set[str] = set()
    seen_files: set[str] = set()

    def cost(roots: list[str]) -> tuple[float, int]:
        waiting, new = list(roots), 0
        size = 0
        while waiting:
            name = waiting.pop()
            if name not in packages or name in counted:
                waiting.extend(other for other in providers.get(name, []) if other not in counted)
                continue
            counted.add(name)
            new += 1
            size += bytes_of(name, seen_files)
            fields = packages[name]
            needs = ", ".join(fields.get(field, "") for field in ("Depends", "Pre-Depends"))
            for choice in needs.split(", "):
                names = [option.split(" ")[0].split(":")[0] for option in choice.split(" | ")]
                waiting.extend([name for name in names if name in packages or name in providers][:1])
        return size / 1e6, new

    base = [name for name, fields in packages.items() if fields.get("Priority") in ("required", "important") or fields.get("Essential")]
    rows = [("(Debian itself)", *cost([*base, "apt"]))]
    for line in LISTED.read_text(encoding="utf-8").splitlines():
        if name := line.split("#")[0].strip():
            rows.append((name, *cost([name])))
    rows.append(("(left over from removed packages)", *cost(list(packages))))
    owned = sum(size for _, size, _ in rows)
    rows.append(("(no package: caches, package lists)", tree_bytes() / 1e6 - owned, 0))
    print("| package | MB | packages |\n|---|---:|---:|")
    for name, size, new in rows:
        print(f"| {name} | {size:.1f} | {new} |")
    print(f"| **sum** | **{sum(size for _, size, _ in rows):.0f}** | {sum(new for _, _, new in rows)} |")


def installed() -> dict[str, dict[str, str]]:
    packages = {}
    for paragraph in (DPKG / "status").read_text(encoding="utf-8").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" "))
        if "installed" in fields.get("Status", "").split():
            packages[fields["Package"]] = fields
    return packages


def bytes_of(package: str, seen: set[str]) -> int:
    size = 0
    lists = [path for path in (DPKG / "info" / f"{package}.list", *(DPKG / "info").glob(f"{package}:*.list")) if path.exists()]
    for file in (line for path in lists for line in path.read_text(encoding="utf-8").splitlines()):
        size += file_bytes(file, seen)
        if file.endswith(".py"):
            folder, name = os.path.split(file)
            size += file_bytes(f"{folder}/__pycache__/{name[:-3]}.cpython-313.pyc", seen)
    return size


def file_bytes(path: str, seen: set[str]) -> int:
    real = os.path.realpath(os.path.dirname(path)) + "/" + os.path.basename(path)
    if real in seen or os.path.islink(real) or not os.path.isfile(real):
        return 0
    seen.add(real)
    return os.path.getsize(real)


def tree_bytes() -> int:
    size = 0
    for folder, folders, files in os.walk("/"):
        if folder == "/":
            folders[:] = [name for name in folders if name not in ("proc", "sys", "dev")]
        size += sum(os.lstat(f"{folder}/{name}").st_size for name in files if not os.path.islink(f"{folder}/{name}"))
    return size


if __name__ == "__main__":
    main()

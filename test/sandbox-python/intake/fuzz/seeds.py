"""Small valid files of every kind that is read, by name."""

import bz2
import gzip
import json
import lzma

from fuzz.workbooks import ods_members, xls_file, xls_stream, xlsx_members, zipped

_LINES = ["id,city,note,amount,day"] + [f'{index},{city},"a, ""b"" {index}",{index * 1.5:.2f},2024-03-{index:02d}' for index, city in enumerate(["Oslo", "Zürich", "Lima", "Málaga"] * 6, 1)]
_CSV = "\n".join(_LINES) + "\n"
_RECORDS = [{"id": index, "city": "Oslo", "tags": ["a", {"b": None}], "at": {"x": 1.5, "y": True}} for index in range(8)]
_HTML = "<html><body><table><tr><th>id</th><th colspan=2>name</th></tr>" + "".join(f"<tr><td>{index}</td><td rowspan=1>x &amp; y</td><td>{index}.5</td></tr>" for index in range(6)) + "</table></body></html>"
_MARKDOWN = "# Title\n\n| id | city |\n|----|-----:|\n" + "".join(f"| {index} | Oslo \\| x |\n" for index in range(6))
_OFFICE = "urn:schemas-microsoft-com:office:spreadsheet"
_XML = (
    f'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="{_OFFICE}" xmlns:ss="{_OFFICE}"><Worksheet ss:Name="Data"><Table>'
    + "".join(f'<Row><Cell><Data ss:Type="Number">{index}</Data></Cell><Cell ss:Index="3"><Data ss:Type="String">Oslo</Data></Cell></Row>' for index in range(6))
    + "</Table></Worksheet></Workbook>"
)
_FIXED = "".join(f"{index:<6}{'Oslo':<12}{index * 1.5:>8.2f}\n" for index in range(1, 30))


def seeds() -> dict[str, bytes]:
    """File name -> its bytes."""
    texts = {f"table-{codec}.csv": _CSV.encode(codec) for codec in ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32", "utf-16-be")}
    return texts | {
        "tabs.tsv": _CSV.replace(",", "\t").encode(),
        "semicolons.csv": _CSV.replace(",", ";").replace("\n", "\r\n").encode("cp850"),
        "returns.csv": _CSV.replace("\n", "\r").encode(),
        "fixed.txt": _FIXED.encode(),
        "table.json": json.dumps(_RECORDS, indent=1).encode(),
        "lines.jsonl": "\n".join(map(json.dumps, _RECORDS)).encode(),
        "nested.json": json.dumps({"data": {"rows": _RECORDS}, "n": 1}).encode(),
        "page.html": _HTML.encode(),
        "table.md": _MARKDOWN.encode(),
        "sheet.xml": _XML.encode(),
        "book.xlsx": zipped(xlsx_members()),
        "book.ods": zipped(ods_members()),
        "stream.xls": xls_stream(),
        "book.xls": xls_file(),
        "files.zip": zipped({"a.csv": _CSV.encode(), "b/c.json": json.dumps(_RECORDS).encode(), "d.xlsx": zipped(xlsx_members())}),
        "table.csv.gz": gzip.compress(_CSV.encode(), mtime=0),
        "table.csv.bz2": bz2.compress(_CSV.encode()),
        "table.csv.xz": lzma.compress(_CSV.encode()),
    }

"""The page around a chart that is drawn in the browser: one file that needs no network."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
html, body {{ height: 100%; margin: 0; background: #fff; color: #222; font-family: sans-serif; }}
body {{ box-sizing: border-box; padding: 24px; }}
{style}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def page_around(body: str, title: str, style: str) -> str:
    """`body` and `style` go in as they are; `title` is plain text, and may be empty."""
    return _PAGE.format(title=_escape(title or "Chart"), style=style, body=body)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")

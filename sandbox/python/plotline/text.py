"""Small helpers for text that leaves the sandbox."""


def clean(text: str) -> str:
    """`text` without lone surrogates, which are not valid UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def clip(text: str, limit: int) -> str:
    """At most about `limit` characters: the head and the tail, with a line between them that says what is missing."""
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    tail = limit - head
    return f"{text[:head]}\n[… {len(text) - limit:,} characters left out …]\n{text[-tail:]}"


def megabytes(size_bytes: int) -> str:
    """A size for a person: `512 MB`, `1.5 MB`, `12 KB`. 1 MB is 1,048,576 bytes, as in the settings."""
    if size_bytes < 1 << 20:
        return f"{max(1, round(size_bytes / 1024))} KB"
    value = size_bytes / (1 << 20)
    return f"{value:,.0f} MB" if value >= 10 or value == int(value) else f"{value:.1f} MB"


def seconds(duration_ms: float) -> str:
    """A duration for a person: `60 s`, `1.5 s`."""
    value = duration_ms / 1000
    return f"{value:.0f} s" if value >= 10 or value == int(value) else f"{value:.1f} s"

"""Several tables in one text file, one below the other."""

from collections import Counter

from plotline.intake.records import Records


def blocks_of(records: Records) -> list[Records]:
    """The records as one block, or as several tables that blank lines separate and that have different widths."""
    cuts = [cut for cut in records.blank_after if 0 < cut < len(records.rows)]
    if not cuts or len(cuts) > 40:
        return [records]
    edges = [0, *cuts, len(records.rows)]
    spans = [(start, end) for start, end in zip(edges, edges[1:]) if end > start]
    widths = []
    for start, end in spans:
        counted = Counter(map(len, records.rows[start:end]))
        width, times = counted.most_common(1)[0]
        if width > 1 and end - start >= 2 and times == end - start:
            widths.append((width, start, end))
    if len(widths) < 2 or len({width for width, _, _ in widths}) < 2:
        return [records]
    # Lines outside the uniform blocks are titles: each goes to the table that follows it.
    blocks = []
    begin = 0
    for position, (_, start, end) in enumerate(widths):
        end = end if position + 1 < len(widths) else len(records.rows)
        low = 0 if position == 0 else records.lines[begin]
        high = records.lines[end] if end < len(records.lines) else 1 << 62
        block = Records(records.rows[begin:end], records.lines[begin:end])
        block.rejected = [found for found in records.rejected if low <= found.line < high]
        block.multi_line = [line for line in records.multi_line if low <= line < high]
        block.stray = [line for line in records.stray if low <= line < high]
        blocks.append(block)
        begin = end
    return blocks

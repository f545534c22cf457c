# SPDX-License-Identifier: MIT
"""A plot of lines as SVG, for light and dark backgrounds; the vertical axis is logarithmic."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 150, 50, 60
COLOURS = ("#d9822b", "#2f81d0")        # of a line's first name, in the order in which they come
DASHES = {"p50": "none", "p99": "6 4"}  # of its second
STYLE = """text { font: 13px sans-serif; fill: #222 } .grid { stroke: #8886; stroke-width: 1 }
.line { fill: none; stroke-width: 2.5 } rect { fill: #fff }
@media (prefers-color-scheme: dark) { text { fill: #ddd } rect { fill: #161616 } }"""


def linear_ticks(top, wanted=6):
    step = 10 ** math.floor(math.log10(top / wanted))
    step *= next(m for m in (1, 2, 5, 10) if top / (step * m) <= wanted)
    return [i * step for i in range(math.floor(top / step) + 1)]


def log_ticks(low, high):
    ticks = [m * 10 ** e for e in range(9) for m in (1, 2, 5)]
    return [t for t in ticks if low <= t <= high]


def plot(title, x_name, y_name, lines):
    """`lines` are {(name, percentile): [(x, y), …]}."""
    xs = [x for points in lines.values() for x, _ in points]
    ys = [max(y, 1) for points in lines.values() for _, y in points]
    right, low, high = max(xs) * 1.03, min(ys) / 1.3, max(ys) * 1.3
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
           f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", '<rect width="100%" height="100%"/>']

    def place(x, y):
        across = LEFT + (WIDTH - LEFT - RIGHT) * x / right
        up = (HEIGHT - TOP - BOTTOM) * math.log(max(y, 1) / low) / math.log(high / low)
        return f"{across:.1f}", f"{HEIGHT - BOTTOM - up:.1f}"

    def text(x, y, words, anchor="middle", more=""):
        out.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}"{more}>{escape(words)}</text>')

    def line(a, b, style):
        out.append(f'<line x1="{a[0]}" y1="{a[1]}" x2="{b[0]}" y2="{b[1]}" {style}/>')

    text(LEFT, 28, title, "start", ' font-weight="bold"')
    for y in log_ticks(low, high):
        line(place(0, y), place(right, y), 'class="grid"')
        text(LEFT - 8, float(place(0, y)[1]) + 4, f"{y:,}", "end")
    for x in linear_ticks(right):
        line(place(x, low), place(x, high), 'class="grid"')
        text(place(x, low)[0], HEIGHT - BOTTOM + 20, f"{x:,.0f}")
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x_name)
    text(18, TOP - 8, y_name, "start")

    colours = dict(zip(dict.fromkeys(name for name, _ in lines), COLOURS))
    for i, ((name, percentile), points) in enumerate(lines.items()):
        style = f'stroke="{colours[name]}" stroke-dasharray="{DASHES[percentile]}" class="line"'
        out.append(f'<polyline points="{" ".join(",".join(place(x, y)) for x, y in points)}" {style}/>')
        at = TOP + 20 + 24 * i
        line((WIDTH - RIGHT + 12, at), (WIDTH - RIGHT + 40, at), style)
        text(WIDTH - RIGHT + 46, at + 4, f"{name} {percentile}", "start")
    return "\n".join([*out, "</svg>\n"])

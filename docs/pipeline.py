#!/usr/bin/env python3
"""Draws docs/pipeline.svg, the picture of the pipeline in README.md. Run from anywhere: python3 docs/pipeline.py

It needs nothing but Python 3. The picture has a background of its own, so it can be read on white and on dark pages.
"""
import pathlib
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 900, 640
INK, SOFT, LINE = "#1f2933", "#52606d", "#616e7c"
PAPER, PANEL, BOX = "#ffffff", "#f1f5f9", "#ffffff"
RANKS = ["#0b6e99", "#b45309"]
MARGIN = 8

parts = []


def draw(text):
    parts.append(text)


def label(x, y, text, size=13, weight="normal", color=INK, anchor="middle"):
    draw(f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{color}" '
         f'text-anchor="{anchor}">{escape(text)}</text>')


def panel(x, y, width, height, title):
    """A stage of a run: a tinted area with its name above the boxes in it."""
    draw(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="10" fill="{PANEL}" stroke="#cbd2d9"/>')
    label(x + 14, y + 24, title, 15, "bold", anchor="start")


def box(x, y, width, height, title, *lines, color=LINE):
    """A step: its title in bold, what happens below it."""
    draw(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{BOX}" stroke="{color}" stroke-width="1.5"/>')
    middle, top = x + width / 2, y + height / 2 - 8.5 * len(lines) + 5
    label(middle, top, title, 14, "bold", color if color != LINE else INK)
    for number, line in enumerate(lines):
        # A wide font has glyphs of 0.6 of its size: what fits with it fits with any.
        assert len(line) * 12 * 0.6 <= width - MARGIN, f'"{line}" is too long for its box'
        label(middle, top + 18 + 17 * number, line, 12, color=SOFT)


def arrow(*points):
    path = "M" + " L".join(f"{x},{y}" for x, y in points)
    draw(f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.8" marker-end="url(#head)"/>')


# Data: comparisons, and how users come to ranks.
box(24, 24, 196, 92, "Preferences", "many users each compare", "pairs of responses")
arrow((222, 70), (264, 70))
draw(f'<rect x="268" y="24" width="608" height="92" rx="6" fill="{BOX}" stroke="{LINE}" stroke-width="1.5"/>')
label(286, 48, "Users are dealt to shards, and shards to ranks", 14, "bold", anchor="start")
for rank in range(2):
    left = 286 + 200 * rank
    for shard in range(4):
        draw(f'<rect x="{left + 44 * shard}" y="60" width="38" height="20" rx="3" fill="{RANKS[rank]}"/>')
        label(left + 44 * shard + 19, 74, str(4 * rank + shard), 12, "bold", "#ffffff")
    label(left + 85, 101, f"rank {rank}", 12, "bold", RANKS[rank])
label(690, 69, "Each rank computes for its", 12, color=SOFT, anchor="start")
label(690, 86, "own users. Results have the", 12, color=SOFT, anchor="start")
label(690, 103, "same bits on any ranks.", 12, color=SOFT, anchor="start")
arrow((330, 118), (330, 146))

# Reward: EM.
panel(24, 150, 612, 160, "Reward: K reward models, fitted by EM over users")
box(42, 190, 266, 100, "E-step", "each rank scores its users", "under every reward model:", "which group is each user in?")
box(352, 190, 266, 100, "M-step", "each rank trains all K models", "on its users; one all-reduce", "sums the gradients")
arrow((310, 220), (348, 220))
arrow((350, 262), (312, 262))
arrow((638, 240), (676, 240))

# Calibration.
panel(680, 150, 196, 160, "Calibrate")
box(694, 190, 168, 100, "One scale", "the same origin", "and unit for all", "K rewards")
arrow((778, 312), (778, 336))

# Policy: a step.
panel(24, 340, 852, 190, "Policy: a step")
steps = [
    ("Rollouts", ["sample responses", "to each rank's", "prompts"], LINE),
    ("Group utilities", ["reward them under", "every model: F_u", "of each group"], LINE),
    ("All-reduce", ["sum the utilities", "over all ranks"], LINE),
    ("Root", ["takes the minimum:", "all weight on the", "worst-off group"], RANKS[0]),
    ("Update", ["on the weighted", "reward; all-reduce", "of the gradients"], LINE),
]
for number, (title, lines, color) in enumerate(steps):
    left = 38 + 167 * number
    box(left, 380, 152, 96, title, *lines, color=color)
    if number:
        arrow((left - 14, 428), (left - 3, 428))
arrow((782, 478), (782, 506), (114, 506), (114, 480))
label(448, 500, "next step", 12, color=SOFT)
arrow((450, 532), (450, 560))

# Evaluation.
box(24, 564, 852, 58, "Evaluate and report",
    "win rate of each group on held-out prompts, against the reference and against one reward for all (ordinary RLHF)")

svg = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img"
     aria-labelledby="title" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
<title id="title">The pipeline of maxmin, from preferences to the report</title>
<defs><marker id="head" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0,0 L10,5 L0,10 z" fill="{LINE}"/></marker></defs>
<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="{PAPER}" stroke="#cbd2d9"/>
"""
target = pathlib.Path(__file__).with_suffix(".svg")
target.write_text(svg + "\n".join(parts) + "\n</svg>\n", encoding="utf-8")

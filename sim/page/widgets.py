"""What the page is built of: notices, pictures that never break the page, and its address."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import ipyvuetify
import solara
import traitlets
from matplotlib import rcParams
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from sim.report.event_marks import event_marks, numbered
from sim.scenario.errors import printable
from sim.scenario.schema import Scenario

WIDE = (10.0, 4.4)  # inches
rcParams["svg.fonttype"] = "none"  # text stays text: quicker by a quarter than outlines, and half as large
Draw = Callable[[Figure], None]


def svg(draw: Draw, size: tuple[float, float] = WIDE) -> str:
    """A picture as the address of an image; what failed in drawing it is raised."""
    figure = Figure(figsize=size, facecolor="white")
    draw(figure)
    file = BytesIO()
    FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}"


def failure(error: Exception, what: str) -> str:
    """A failure in one line for people; the log has all of it."""
    logging.getLogger(__name__).error("%s failed", what, exc_info=error)
    return printable(f"{what} failed ({type(error).__name__}: {error})")[:400]


@solara.component
def Notice(text: str, kind: str = "hint") -> None:  # noqa: N802 - components are named so
    """A framed text: a hint, or a problem, which screen readers say at once."""
    role = "alert" if kind == "problem" else "note"
    solara.v.Html(tag="div", class_=f"notice {kind}", attributes={"role": role}, children=[text])


@solara.component
def Image(source: str, words: str) -> None:  # noqa: N802
    """A picture with words for those who do not see it."""
    solara.v.Html(tag="img", attributes={"src": source, "alt": words})


@solara.component
def EventList(scenario: Scenario, events: Any, runs: int = 1, title: str = "") -> None:  # noqa: N802
    """What happened on the days that a picture numbers, by the table of events of so many runs."""
    days = numbered(event_marks(scenario, events, runs))
    lines = [f"{day.day} {day:%b %Y}: {'; '.join(words)}" for day, words in days.items()]
    if lines:
        items = [solara.v.Html(tag="li", children=[printable(line)]) for line in lines]
        listed = solara.v.Html(tag="ol", class_="events", children=items)
        solara.v.Html(tag="div", children=[title, listed])


@solara.component
def Picture(  # noqa: N802
    draw: Draw, words: str, when: Sequence[Any], size: tuple[float, float] = WIDE
) -> None:
    """A picture, drawn anew when something of `when` is another; where that fails, a notice."""

    def drawn() -> tuple[str, str]:
        try:
            return svg(draw, size), ""
        except Exception as error:
            return "", failure(error, "This picture")

    source, problem = solara.use_memo(drawn, list(when))
    if problem:
        Notice(problem, "problem")
    else:
        Image(source, words)


class Names(ipyvuetify.VuetifyTemplate):  # type: ignore[misc, name-defined, unused-ignore]
    """Names for buttons of Solara's and Mesa's whose face is a sign: by selector, or by the sign."""

    names = traitlets.Dict().tag(sync=True)
    template = traitlets.Unicode(
        """
<template><span style="display: none"></span></template>
<script>
module.exports = {
  mounted() {
    this.watcher = new MutationObserver(() => this.put());
    this.watcher.observe(document.body, { subtree: true, childList: true, characterData: true });
    this.put();
  },
  destroyed() { this.watcher.disconnect(); },
  methods: {
    put() {
      for (const button of document.querySelectorAll("button")) {
        const known = Object.keys(this.names).find(
          key => button.textContent.trim() === key || (/^[.]/.test(key) && button.matches(key)));
        if (known) {
          button.setAttribute("aria-label", this.names[known]);
          button.title = this.names[known];
        }
      }
    },
  },
};
</script>
"""
    ).tag(sync=True)


class Address(ipyvuetify.VuetifyTemplate):  # type: ignore[misc, name-defined, unused-ignore]
    """Puts the page's state into the browser's address, without a new entry in its history."""

    query = traitlets.Unicode("").tag(sync=True)
    template = traitlets.Unicode(
        """
<template><span style="display: none"></span></template>
<script>
module.exports = {
  mounted() { this.put(); },
  watch: { query() { this.put(); } },
  methods: {
    put() {
      window.history.replaceState(window.history.state, "", window.location.pathname + "?" + this.query);
    },
  },
};
</script>
"""
    ).tag(sync=True)

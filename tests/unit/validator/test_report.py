"""The report: the verdict first, one file, no network, no script, nothing hostile alive."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import anomalies, cost, drift, report, schema, verdict
from validator.contract import Verdict
from validator.cost import Cost
from validator.verdict import Evidence, Run, VerdictReport

Build = Callable[..., DatasetFeatureStatisticsList]
Columns = dict[str, Any]
Page = Callable[..., "Parsed"]

DAY: Columns = {"pay": ["Cash"] * 6 + ["Card"] * 4, "fare": [float(i) for i in range(10)]}
HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</style><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\u2066\x00\x1b[31m",
    "&lt;b&gt;",
    "x" * 10_000,
]


@dataclass
class Parsed(HTMLParser):
    """A page as its tags, attributes and text."""

    source: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        for tag in {*self._open}:
            self.texts.setdefault(tag, []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag: str) -> str:
        return " ".join("".join(self.texts.get(tag, [])).split())


@pytest.fixture
def judged(statistics: Build) -> Callable[..., VerdictReport]:
    def judge(now: Columns, before: Columns | None = None, **more: Any) -> VerdictReport:
        day, baseline = statistics(now), statistics(before) if before is not None else None
        declared = schema.infer(statistics(DAY))
        return verdict.judge(
            Evidence(
                run=Run(date(2026, 11, 22), "run-7", "taxi"),
                statistics=day,
                schema=declared,
                anomalies=anomalies.find(day, declared, baseline=baseline),
                baseline=baseline,
                drift=drift.measure(day, baseline, declared, baseline_uri="s3://b/s.pb") if baseline else (),
                rows=day.datasets[0].num_examples,
                **more,
            )
        )

    return judge


@pytest.fixture
def page(statistics: Build, judged: Callable[..., VerdictReport]) -> Page:
    def parsed(now: Columns, before: Columns | None = None, **more: Any) -> Parsed:
        baseline = statistics(before) if before is not None else None
        return Parsed(report.render(judged(now, before, **more), statistics(now), baseline))

    return parsed


@pytest.mark.parametrize(
    ("now", "before", "headline"),
    [
        (DAY, DAY, "Accepted: 10 rows in 2 columns conform to the schema, and none drifted."),
        (DAY, None, "Accepted: 10 rows in 2 columns conform to the schema."),
        ({"fare": DAY["fare"]}, None, "Rejected: 1 column breaks the schema: pay."),
        (
            {**DAY, "pay": ["Cash"] * 3 + ["Card"] * 7},
            DAY,
            "Accepted with warnings: 1 column drifted from the baseline: pay.",
        ),
        (
            {**DAY, "pay": ["Crypto"] * 10, "toll": [1] * 10},
            DAY,
            "Rejected: 2 columns break the schema: pay and toll; 1 column drifted from the baseline: pay.",
        ),
        ({}, DAY, "Rejected: there is no data for this date."),
    ],
)
def test_the_first_sentence_is_the_verdict_with_names(
    page: Page, now: Columns, before: Columns | None, headline: str
) -> None:
    assert page(now, before).text("h1") == headline


def test_what_to_do_comes_next(page: Page) -> None:
    rejected, warned, accepted = page({}, DAY), page(DAY, schema_inferred=True), page(DAY, DAY)
    assert "Check that the data of this date was delivered" in rejected.text("p")
    assert "Review the proposed schema" in warned.text("p")
    assert 'class="advice"' not in accepted.source


@pytest.mark.parametrize("before", [None, DAY])
def test_the_page_is_well_formed_and_accessible(page: Page, before: Columns | None) -> None:
    parsed = page({**DAY, "pay": ["Crypto"] * 10}, before)
    assert parsed.all("html") == [{"lang": "en"}]
    assert len(parsed.all("h1")) == len(parsed.all("main")) == len(parsed.all("title")) == 1
    assert parsed.text("title") == "taxi, 22 November 2026: rejected"
    assert all(th.get("scope") in {"col", "row"} for th in parsed.all("th"))
    assert all(svg.get("aria-label") or svg.get("aria-hidden") for svg in parsed.all("svg"))
    assert not parsed._open


def test_links_lead_to_a_row_of_the_page(page: Page) -> None:
    parsed = page({**DAY, "pay": ["Crypto"] * 10, HOSTILE[1]: [1] * 10}, DAY)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    links = [str(a["href"]) for a in parsed.all("a")]
    assert len(ids) == len(set(ids))
    assert links
    assert {link.removeprefix("#") for link in links} <= {*ids}


def test_neither_script_nor_network_is_needed_or_allowed(page: Page) -> None:
    parsed = page({**DAY, **{name: ["a"] * 10 for name in HOSTILE}}, DAY)
    policy = next(str(m["content"]) for m in parsed.all("meta") if "http-equiv" in m)
    style = "".join(parsed.texts["style"])
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not {"script", "img", "link", "iframe", "form", "object", "base"} & {tag for tag, _ in parsed.tags}
    attributes = [(name, value) for _, found in parsed.tags for name, value in found.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in {"src", "style"}]
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_and_values_are_text(page: Page, hostile: str) -> None:
    tame = page({**DAY, "toll": ["a"] * 10}, DAY)
    parsed = page({**DAY, hostile: [hostile] * 10}, DAY)
    assert [tag for tag, _ in parsed.tags if tag != "br"] == [tag for tag, _ in tame.tags]
    assert not {"\x00", "\x1b", "\u202e", "\u2066"} & set(parsed.source)
    assert "49" not in parsed.text("th")


def test_hostile_uris_and_versions_are_text(page: Page) -> None:
    parsed = page(DAY, artifacts={"<b>": "javascript:<script>"}, versions={"tfdv": "<i>\u202e"})
    assert not {"b", "i", "script"} & {tag for tag, _ in parsed.tags}
    assert "javascript:<script>" in parsed.text("dd")


def test_the_baseline_is_an_outline(page: Page) -> None:
    alone, compared = page(DAY), page(DAY, DAY)
    outlines = [[p for p in parsed.all("path") if p["class"] == "outline"] for parsed in (alone, compared)]
    assert [len(found) for found in outlines] == [0, 1 + len(DAY)]
    assert "Drift from the baseline" in compared.text("h2")
    assert "Drift from the baseline" not in alone.text("h2")


def test_the_drift_table_has_every_distance_worst_first(page: Page) -> None:
    parsed = page({**DAY, "pay": ["Cash"] * 3 + ["Card"] * 7}, DAY)
    table = parsed.source.split('id="drift"')[1].split("</table>")[0]
    assert table.index(">pay<") < table.index(">fare<")
    assert table.count("drifted") == 1
    assert "1 of 2 above threshold" in parsed.text("h2")


def test_columns_with_findings_come_first(page: Page) -> None:
    parsed = page({"fare": DAY["fare"], "pay": ["Crypto"] * 10})
    table = parsed.source.split('class="features"')[1]
    assert table.index(">pay<") < table.index(">fare<")


def test_changes_are_told_and_sameness_is_not(page: Page) -> None:
    parsed = page({**DAY, "fare": [None, *(float(i) for i in range(9))]}, DAY)
    table = parsed.source.split('class="features"')[1]
    assert "0% → 10%" in table
    assert "median 4.5 → 4, mean 4.5 → 4, from 0 to 8" in table
    assert "→" not in page(DAY, DAY).source.split('class="features"')[1]


def test_odd_columns_are_rows_like_others(page: Page) -> None:
    odd = {"gone": [None] * 10, "constant": [7] * 10, "ids": [f"id-{i}" for i in range(10)], "": ["a"] * 10}
    text = page({**DAY, **odd}).text("td")
    assert "no value" in text
    assert "always 7" in text


def test_an_estimate_of_values_is_called_one(statistics: Build) -> None:
    found = statistics(n=[1.0, 2.0, 3.0], t=[f"text {number}" for number in range(3_000)]).datasets[0]
    assert not any("about" in report._values(feature, None) for feature in found.features)
    for feature, name in zip(found.features, ("rank_error", "distinct_relative_error"), strict=True):
        feature.custom_stats.add(name=name, num=0.01)
    said = [report._values(feature, None) for feature in found.features]
    assert said == ["median about 2, mean 2, from 1 to 3", "about 3,000 distinct values, none common"]


def test_an_estimate_is_called_one(page: Page) -> None:
    parsed = page(DAY, cost=Cost(0.5, 2.0, 0.0291, "estimate, the task is still running"))
    assert "Cost, estimated" in parsed.text("dt")
    assert "$0.0291" in parsed.text("dd")
    assert "Cost, estimated" not in page(DAY).text("dt")


def test_an_estimate_for_spot_is_called_a_limit(page: Page) -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    prices = cost.Prices(Decimal("0.04"), Decimal("0.005"))
    spot = cost.estimate(cost.Task(2.0, 8.0, start), start, prices, capacity="FARGATE_SPOT")
    parsed = page(DAY, cost=spot)
    assert "Cost, at most" in parsed.text("dt")
    assert "Cost, estimated" not in parsed.text("dt")
    assert "at most, because these are on-demand prices" in parsed.text("dd")


def test_the_time_of_children_is_told_as_that_of_all_tasks(page: Page) -> None:
    alone, shared = (page(DAY, timings=timings) for timings in ({"judge": 2.0}, {"judge": 2, "children": 60}))
    assert "Time, of all tasks" in shared.text("dt")
    assert "Time: children" in shared.text("th") + shared.text("dt")
    assert "Time, of all tasks" not in alone.text("dt")


def test_it_is_small(page: Page) -> None:
    random = np.random.default_rng(1)
    wide = {f"column {i}": random.normal(i, 1, 500).tolist() for i in range(10)}
    wide |= {f"text {i}": random.choice([f"v{j}" for j in range(90)], 500).tolist() for i in range(10)}
    wide[HOSTILE[-1]] = [HOSTILE[-1]] * 500
    assert len(page(wide, wide).source.encode()) < 100_000


def test_the_verdict_colours_the_page(page: Page) -> None:
    expected = {
        Verdict.PASS: page(DAY, DAY),
        Verdict.FAIL: page({}),
        Verdict.WARN: page(DAY, schema_inferred=True),
    }
    assert all(parsed.all("body") == [{"class": word.value}] for word, parsed in expected.items())

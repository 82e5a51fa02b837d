"""The reports of a run: what a team reads, what a build server reads, and what FHIR has for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from lxml import etree

from conformance.check import Check, Result
from conformance.http_log import Exchange
from conformance.reports.files import write_reports
from conformance.reports.html_page import MOST_EXCHANGES, html_page
from conformance.reports.junit import junit_xml
from conformance.reports.run import GroupResults, Run, grouped
from conformance.reports.test_report import test_report as report_of
from resources.document import parse_document
from resources.validation import errors_of, validate

CLAUSE = "https://hl7.org/fhir/R4/http.html#create"
HOSTILE = "<script>alert('x')</script>\x00\ud800 & \"quoted\""


def check(name: str) -> Check:
    return Check(name, "Creating", f"What {name} says holds.", CLAUSE, lambda context: None)


def exchange(number: int) -> Exchange:
    return Exchange(
        "POST", f"http://x/fhir/Patient?n={number}", (("accept", "*/*"),), '{"a":1}', 400, (("etag", "1"),), HOSTILE
    )


FAILED = Result(check("rest.bad"), "fail", f"It said {HOSTILE}.", (), tuple(map(exchange, range(20))), 0.25)
RESULTS = (
    Result(check("rest.good"), "pass", notes=("It should say more.",), seconds=0.5),
    FAILED,
    Result(check("rest.elsewhere"), "skip", "The CapabilityStatement does not claim it.", could_claim=True),
    Result(check("history.broken"), "error", "The check broke: KeyError."),
)
TITLES = [("rest.good", "REST"), ("rest.bad", "REST"), ("rest.elsewhere", "REST"), ("history.broken", "History")]


def run_of(results=RESULTS, left=()) -> Run:
    statement = {"software": {"name": "Some server", "version": "1.2"}}
    began = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    groups = grouped(TITLES, results)
    return Run("http://x/fhir", "abc123", began, timedelta(seconds=75), statement, groups, left)


class Page(HTMLParser):
    """The texts and the tags of a page, each of which must be closed."""

    EMPTY = frozenset({"meta", "br", "link"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags, self._open, self.links, self.ids = "", [], [], [], []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        given = dict(attributes)
        self.links += [given["href"]] if "href" in given else []
        self.ids += [given["id"]] if "id" in given else []
        if tag not in self.EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_results_stand_under_the_titles_of_their_groups_in_order():
    assert [(group.title, len(group.results)) for group in run_of().groups] == [("REST", 3), ("History", 1)]
    assert grouped(TITLES, RESULTS[:1]) == [GroupResults("REST", [RESULTS[0]])]


@pytest.mark.parametrize(("results", "is_good"), [(RESULTS, False), (RESULTS[:1], True), (RESULTS[2:3], True)])
def test_a_run_is_good_unless_something_failed_or_broke(results, is_good):
    assert run_of(results).is_good is is_good
    assert report_of(run_of(results))["result"] == ("pass" if is_good else "fail")


def test_the_page_tells_what_failed_with_what_was_asked_answered_and_demanded():
    page = Page(html_page(run_of(left=("Patient/1",))))
    for text in (
        "Some server 1.2",
        "What rest.bad says holds.",
        "POST http://x/fhir/Patient?n=19",
        "accept: */*",
        "Patient/1",
    ):
        assert text in page.text
    assert CLAUSE in page.links
    assert "KeyError" in page.text
    assert "What it could claim" in page.text
    assert "It should say more." in page.text
    assert "Patient?n=7" not in page.text  # only the last requests of a check
    assert f"{20 - MOST_EXCHANGES} earlier requests" in page.text


def test_what_a_server_answers_cannot_do_anything_to_the_page():
    page = Page(html_page(run_of()))
    assert "script" not in page.tags
    assert "<script>alert" in page.text


def test_the_page_needs_nothing_from_elsewhere_and_its_links_within_lead_somewhere():
    page = Page(html_page(run_of()))
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_page_of_a_good_run_says_so():
    text = Page(html_page(run_of(RESULTS[:1]))).text
    assert "Everything that was checked is as it should be." in text
    assert "What it could claim" not in text


def test_the_xml_has_a_suite_for_each_group_and_counts_what_became_of_its_checks():
    suites = etree.fromstring(junit_xml(run_of())).findall("testsuite")
    counts = [tuple(suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped")) for suite in suites]
    assert counts == [("REST", "3", "1", "0", "1"), ("History", "1", "0", "1", "0")]
    failure = suites[0].find("testcase/failure")
    assert CLAUSE in failure.text
    assert "POST http://x/fhir/Patient?n=19" in failure.text


def test_the_resource_is_a_valid_test_report_with_a_test_for_each_check():
    report = parse_document(json.dumps(report_of(run_of()))).tree
    assert errors_of(validate(report)) == []
    assert [test["action"][0]["assert"]["result"] for test in report["test"]] == ["pass", "fail", "skip", "error"]
    assert str(report["score"]) == "33.33"
    assert "score" not in report_of(run_of(RESULTS[2:3]))


def test_all_forms_are_written_even_where_an_answer_is_no_text_that_could_be(tmp_path):
    paths = write_reports(run_of(), tmp_path / "new" / "folder")
    assert sorted(path.name for path in paths) == ["junit.xml", "report.html", "testreport.json"]
    assert all(path.stat().st_size > 1000 for path in paths)

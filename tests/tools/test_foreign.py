"""Pages and feeds are read in a child that may die: what is built to take long costs it, and nobody else."""

import pytest

from tools.limited import ParserLimits
from tools.web.channels import channel
from tools.web.client import Response
from tools.web.foreign import Reader, channel_of, page_of, text_of
from tools.web.markup import html_to_text
from tools.web.pages import read_page
from workflows.errors import Permanent

FEED = "<rss><channel><title>Board</title><item><guid>1</guid><title>é</title><link>/1</link></item></channel></rss>"


def answer(content: str, kind: str = "text/html") -> Response:
    return Response(
        status=200,
        url="https://a.example/feed",
        headers={"content-type": f"{kind}; charset=utf-8"},
        content=content.encode(),
    )


@pytest.fixture
def reader():
    made: list[Reader] = []

    def make(limits: ParserLimits) -> Reader:
        made.append(Reader(limits))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_child_reads_what_the_reader_itself_would() -> None:
    page = answer('<title>Studio</title><p>We are. <a href="mailto:hi@a.example">Write</a> ünd so</p>')
    assert page_of(page) == read_page(page)
    assert channel_of(answer(FEED, "text/xml")) == channel(answer(FEED, "text/xml"))
    assert text_of("<p>Hi</p><ul><li>é</ul>") == html_to_text("<p>Hi</p><ul><li>é</ul>")


@pytest.mark.parametrize("content", ["<a/>", "no feed", "<html><p>x</html>", "", "<!DOCTYPE a [<!ENTITY x 'y'>]><a/>"])
def test_what_is_no_feed_is_refused_in_the_same_words(content: str) -> None:
    with pytest.raises((Permanent, ValueError)) as here:
        channel(answer(content))
    with pytest.raises((Permanent, ValueError)) as there:
        channel_of(answer(content))
    assert str(there.value) == str(here.value)


def test_a_page_that_takes_too_long_ends_its_child_alone(reader) -> None:
    slow = reader(ParserLimits(seconds=0.0))
    with pytest.raises(Permanent, match="The page takes longer than 0 s to read"):
        slow.ask("text", {}, b"<p>x</p>" * 50_000)
    assert text_of("<p>Hi</p>") == "Hi"

"""The command line: python -m scraper parse | search | import-tables | check."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from scraper.catalogue import BUNDLED_CSV, Catalogue
from scraper.check import check
from scraper.errors import QueryError, ScraperError
from scraper.film import Film
from scraper.imdb import ImdbClient
from scraper.moods import Intent, Mood
from scraper.parse import parse_page
from scraper.query import FilmQuery, Sort
from scraper.recommend import Recommender
from scraper.settings import ScraperSettings
from scraper.tables import MIN_VOTES, import_tables

BAD_INPUT = 2


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"error: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0, 1 when a check found problems, 2 for bad input.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except ScraperError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # such as head, which has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {error.filename} cannot be read or written: {error.strerror}", file=sys.stderr)
        return BAD_INPUT
    return code


def parse(options: argparse.Namespace) -> int:
    """Print the films of a saved page."""
    page = parse_page(options.page.read_text("utf-8", errors="replace"))
    if options.json:
        _print_json({"layout": page.layout, "total": page.total, "films": [film.to_dict() for film in page.films]})
    else:
        for film in page.films:
            print(_line(film))
    return 0


def search(options: argparse.Namespace) -> int:
    """Print films for a mood and filters."""
    filters = FilmQuery(
        genres=tuple(options.genre),
        not_genres=tuple(options.not_genre),
        from_year=options.from_year,
        to_year=options.to_year,
        min_rating=options.min_rating,
        min_votes=options.min_votes,
        max_minutes=options.max_minutes,
        language=options.language,
        lead=options.lead,
        sort=Sort(options.sort),
        limit=options.limit,
    )
    settings = ScraperSettings.from_environment()
    settings = replace(settings, live=settings.live and not options.offline)
    recommender = Recommender(ImdbClient(settings), Catalogue.load(settings.home))
    mood = {options.mood: 1.0} if options.mood else {}
    found = recommender.recommend(mood, Intent(options.intent), filters)
    if options.json:
        _print_json({"source": found.source.to_dict(), "films": [pick.to_dict() for pick in found.picks]})
    else:
        print(found.reason, found.source.notice, sep="\n", file=sys.stderr)
        for pick in found.picks:
            print(f"{_line(pick.film)}  {pick.why}")
    return 0


def bring_tables(options: argparse.Namespace) -> int:
    """Import IMDb's official tables."""
    if options.min_votes < 0:
        raise QueryError("--min-votes must be 0 or more")
    done = import_tables(ScraperSettings.from_environment().home, options.source, options.min_votes)
    print(f"{done.films} films, {done.leads} of them with a known lead, are now in {done.path}", file=sys.stderr)
    print("An app that runs already uses them when it is started again.", file=sys.stderr)
    return 0


def check_list(options: argparse.Namespace) -> int:
    """Print the problems of the bundled list."""
    problems = check(options.list, options.against)
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m scraper", description="Films for a mood.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    page = commands.add_parser("parse", help="read a saved page of IMDb's advanced title search")
    page.add_argument("page", type=Path, metavar="PAGE.html")
    page.add_argument("--json", action="store_true", help="print one JSON document")
    page.set_defaults(run=parse)

    _add_search(commands.add_parser("search", help="list films for a mood and filters"))

    tables = commands.add_parser("import-tables", help="turn IMDb's official tables into a local list")
    tables.add_argument("--from", dest="source", type=Path, metavar="DIR", help="the .tsv.gz files, with their dates")
    tables.add_argument("--min-votes", type=int, default=MIN_VOTES, metavar="N", help="default: %(default)s")
    tables.set_defaults(run=bring_tables)

    checker = commands.add_parser("check", help="report problems of the bundled list")
    checker.add_argument("--list", type=Path, default=BUNDLED_CSV, metavar="CSV", help="another list")
    checker.add_argument("--against", type=Path, metavar="CSV", help="a table of facts to compare with")
    checker.set_defaults(run=check_list)
    return parser


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mood", choices=[mood.value for mood in Mood])
    parser.add_argument("--intent", choices=[i.value for i in Intent], default=Intent.MATCH.value)
    parser.add_argument("--genre", action="append", default=[], metavar="G", help="wanted; may be repeated")
    parser.add_argument("--not-genre", action="append", default=[], metavar="G", help="unwanted; may be repeated")
    parser.add_argument("--from-year", type=int, metavar="Y")
    parser.add_argument("--to-year", type=int, metavar="Y")
    parser.add_argument("--min-rating", type=float, metavar="R")
    parser.add_argument("--min-votes", type=int, metavar="N")
    parser.add_argument("--max-minutes", type=int, metavar="N")
    parser.add_argument("--language", metavar="L", help="ISO 639 code, such as en")
    parser.add_argument("--lead", choices=["woman", "man", "any"], default="any")
    parser.add_argument("--sort", choices=[sort.value for sort in Sort], default=Sort.LATEST.value)
    parser.add_argument("--limit", type=int, default=FilmQuery().limit, metavar="N", help="default: %(default)s")
    parser.add_argument("--offline", action="store_true", help="do not ask IMDb")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=search)


def _line(film: Film) -> str:
    rating = "-" if film.rating is None else f"{film.rating:.1f}"
    return f"{film.title} ({film.year or '?'})  {rating}  {', '.join(film.genres)}  {film.url}"


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a title that the terminal cannot write
    sys.exit(main())

"""The command line: python -m scraper parse | search | import-tables | check."""

from __future__ import annotations

import argparse
import csv
import io
import json
import logging
import os
import shlex
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from typing import Any, NoReturn

from scraper import catalogue
from scraper.catalogue import BUNDLED_CSV, Catalogue, load_bundled
from scraper.errors import CatalogueError, QueryError, ScraperError
from scraper.film import GENRES, Film
from scraper.imdb import ImdbClient, ScraperSettings
from scraper.moods import Intent, Mood
from scraper.parse import parse_page, read_saved
from scraper.query import FilmQuery, Sort
from scraper.recommend import Plan, Recommender
from scraper.tone import CHIPS, HEAVY, TONES

BAD_INPUT = 2  # exit code

# what `check` wants of the bundled list
MIN_FILMS = 40  # for every mood and intent ...
MIN_RECENT_FILMS = 10  # ... and of them this many ...
RECENT = 2015  # ... from this year on
MIN_FILTERED_FILMS = 12  # for every mood and intent with any one of these filters:
COMMON_FILTERS: dict[str, Callable[[Film], bool]] = {
    "since 2010": FilmQuery(from_year=2010).accepts,
    "rated 7 or more": FilmQuery(min_rating=7).accepts,
    "under two hours": FilmQuery(max_minutes=119).accepts,
    "not English": lambda film: film.language not in {None, "en"},
    "lead a woman": FilmQuery(lead="woman").accepts,
    "before 2000": FilmQuery(to_year=1999).accepts,
}
MIN_HEAVY_WORDS = 2  # so many heavy words contradict a tone that has nothing heavy
# how a fact may not differ from ours: ratings move, votes grow, running times depend on the version
DIFFERS: dict[str, Callable[[Any, str], bool]] = {
    "title": lambda ours, fact: ours.casefold() != fact.casefold(),
    "year": lambda ours, fact: ours != int(float(fact)),
    "genres": lambda ours, fact: set(ours) != set(fact.split("|")),
    "rating": lambda ours, fact: abs(ours - float(fact)) > 0.35,  # noqa: PLR2004
    "votes": lambda ours, fact: ours < float(fact) / 2 or ours / 2 > float(fact) > 0,
    "runtime_min": lambda ours, fact: abs(ours - float(fact)) > 5,  # noqa: PLR2004  minutes
}


class _Parser(argparse.ArgumentParser):
    """Reports bad arguments in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"error: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 if `check` found problems, or 2 for bad input."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except ScraperError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # such as head, which has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {error.filename or 'the output'} cannot be read or written: {error.strerror}", file=sys.stderr)
        return BAD_INPUT
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m scraper", description="Films for a mood.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    page = commands.add_parser("parse", help="read a saved page of IMDb: a search, a chart or a list")
    page.add_argument("page", type=Path, metavar="PAGE", help=".html, or .mhtml as Chrome saves it")
    page.add_argument("--json", action="store_true", help="print one JSON document")
    page.set_defaults(run=_parse)

    search = commands.add_parser("search", help="list films for a mood and filters")
    several: dict[str, Any] = {"nargs": "+", "action": "extend", "default": []}
    search.add_argument("--mood", choices=list(map(str, Mood)))
    search.add_argument("--intent", choices=list(map(str, Intent)), default="match")
    search.add_argument("--genre", dest="genres", action="append", default=[], metavar="G", help="wanted; repeatable")
    search.add_argument("--not-genre", dest="not_genres", action="append", default=[], metavar="G", help="unwanted")
    for name, letter in (("from-year", "Y"), ("to-year", "Y"), ("min-votes", "N"), ("max-minutes", "N")):
        search.add_argument(f"--{name}", type=int, metavar=letter)
    search.add_argument("--min-rating", type=float, metavar="R")
    search.add_argument("--language", dest="languages", metavar="L", help="such as en ko", **several)
    search.add_argument("--lead", choices=["woman", "man", "any"], default="any")
    tones = f"what a film must be: {', '.join(CHIPS)}"
    search.add_argument("--tone", dest="tones", choices=list(CHIPS), metavar="T", help=tones, **several)
    search.add_argument("--kids", action="store_true", help="good with kids")
    search.add_argument("--sort", choices=list(map(str, Sort)), default="best")
    search.add_argument("--day", metavar="YYYY-MM-DD", help="whose list of best films; default: today")
    search.add_argument("--lighter-than", metavar="ID", help="films like this one, but lighter")
    search.add_argument("--others", action="store_true", help="go on with films that feel different")
    search.add_argument("--limit", type=int, default=FilmQuery().limit, metavar="N", help="default: %(default)s")
    search.add_argument("--offline", action="store_true", help="do not ask IMDb")
    search.add_argument("--json", action="store_true", help="print one JSON document")
    search.set_defaults(run=_search)

    tables = commands.add_parser("import-tables", help="turn IMDb's official tables into a local list")
    source = (
        "folder with the .tsv.gz or .tsv files, whose dates count; without it, commands to download them are printed"
    )
    tables.add_argument("--from", dest="source", type=Path, metavar="DIR", help=source)
    tables.add_argument("--ratings", action="store_true", help="only newer ratings for the bundled list (8 MB)")
    tables.add_argument("--min-votes", type=int, default=catalogue.MIN_VOTES, metavar="N", help="default: %(default)s")
    tables.set_defaults(run=_import_tables)

    check = commands.add_parser("check", help="report problems of the bundled list")
    facts = f"a table of facts to compare with: imdb_id, {', '.join(DIFFERS)}"
    words = "tables of public words on films (imdb_id, tag or keyword) to check the tones with"
    check.add_argument("--list", type=Path, default=BUNDLED_CSV, metavar="CSV", help="another list")
    check.add_argument("--against", type=Path, metavar="CSV", help=facts)
    check.add_argument("--words", type=Path, nargs="+", default=[], metavar="CSV", help=words)
    check.add_argument("--lexicon", type=Path, metavar="CSV", help="what the words mean: word, axis")
    check.set_defaults(run=_check)
    return parser


def _parse(options: argparse.Namespace) -> int:
    """Print the films of a saved page."""
    page = parse_page(read_saved(options.page.read_bytes()))
    if options.json:
        document = {"layout": page.layout, "total": page.total, "films": [film.to_dict() for film in page.films]}
        print(json.dumps(document, indent=1))
    else:
        for film in page.films:
            print(_line(film))
    if page.total and len(page.films) < page.total:
        print(f"{len(page.films)} of {page.total} films are on this page", file=sys.stderr)
    return 0


def _search(options: argparse.Namespace) -> int:
    """Print films for a mood and filters."""
    filters = FilmQuery(**{f.name: getattr(options, f.name) for f in fields(FilmQuery) if f.name != "interest"})
    settings = ScraperSettings.from_environment()
    settings = replace(settings, live=settings.live and not options.offline)
    recommender = Recommender(ImdbClient(settings), Catalogue.load(settings.home))
    mood = {options.mood: 1.0} if options.mood else {}
    found = recommender.recommend(
        mood, Intent(options.intent), filters, lighter_than=options.lighter_than, others=options.others
    )
    if options.json:
        document = {"source": found.source.to_dict(), "films": [pick.to_dict() for pick in found.picks]}
        print(json.dumps(document, indent=1))
    else:
        print(found.reason, found.source.notice, sep="\n", file=sys.stderr)
        for pick in found.picks:
            print(f"{_line(pick.film)}  {pick.why}")
    return 0


def _line(film: Film) -> str:
    rating = "-" if film.rating is None else f"{film.rating:.1f}"
    return f"{film.title} ({film.year or '?'})  {rating}  {', '.join(film.genres)}  {film.url}"


def _import_tables(options: argparse.Namespace) -> int:
    """Import IMDb's official tables, or print how to download them."""
    if options.min_votes < 0:
        raise QueryError("--min-votes must be 0 or more")
    home = ScraperSettings.from_environment().home
    if options.source is None:
        folder = shlex.quote(str(home / "tables"))
        files = " ".join(
            f"{catalogue.OFFICIAL_TABLES}/{name}"
            for name in ([catalogue.RATINGS] if options.ratings else catalogue.TABLE_COLUMNS)
        )
        size = "8 MB" if options.ratings else "1.1 GB, 0.3 GB without title.principals, which only tells the leads"
        print(f"IMDb's tables are not downloaded by this program ({size}). Run these commands:", file=sys.stderr)
        print(f"curl --fail --retry 3 --remote-time --create-dirs --output-dir {folder} --remote-name-all {files}")
        rest = "--ratings" if options.ratings else f"--min-votes {options.min_votes}"
        print(f"{shlex.quote(sys.executable)} -m scraper import-tables --from {folder} {rest}")
        return 0
    if options.ratings:
        done = f"Refreshed the ratings of {catalogue.import_ratings(home, options.source)} films."
    else:
        films, leads = catalogue.import_tables(home, options.source, options.min_votes)
        done = f"Imported {films} films into {home}, {leads} of them with a known lead."
    print(done, "Restart a running app to use them.", sep="\n", file=sys.stderr)
    return 0


def _check(options: argparse.Namespace) -> int:
    """Print the problems of the bundled list."""
    problems = check_list(options.list, options.against)
    if options.words:
        if options.lexicon is None:
            raise QueryError("--words needs --lexicon, a table that says what the words mean")
        problems += _tone_problems(load_bundled(options.list).by_id.values(), options.words, options.lexicon)
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


def check_list(path: Path = BUNDLED_CSV, against: Path | None = None) -> list[str]:
    """Return a line for every problem of a list and every difference from a table of facts, or raise CatalogueError."""
    try:
        films = load_bundled(path).by_id.values()
    except ValueError as error:
        raise CatalogueError(f"{path}: {error}; fix that first") from error
    names = [row["imdb_id"] for row in _read_table(path, "imdb_id")]
    names += [f"{film.title.casefold()} ({film.year})" for film in films]
    problems = [f"{name}: listed {count} times" for name, count in Counter(names).items() if count > 1]
    for film in films:
        tones = set(film.tone)
        wrong = {
            f"unknown genre in {', '.join(film.genres)}": not set(film.genres) <= set(GENRES),
            "no genre": not film.genres,
            "no title or no year": not film.title or film.year is None,
            f"rating {film.rating} is not from 1 to 10": film.rating is not None and not 1 <= film.rating <= 10,  # noqa: PLR2004
            f"lead {film.lead!r} is not woman, man or empty": film.lead not in {"woman", "man", None},
            "no tone": not tones,
            f"unknown or repeated tone in {', '.join(film.tone)}": tones - {*TONES} or len(tones) < len(film.tone),
        }
        problems += [f"{film.imdb_id}: {problem}" for problem, is_so in wrong.items() if is_so]
    return [*problems, *_thin_moods(films), *(_differences(films, against) if against else ())]


def _thin_moods(films: Iterable[Film]) -> Iterator[str]:
    """Yield every mood and intent for which there are too few films, without filters or with one common filter."""
    for mood, intent in product(Mood, Intent):
        fitting = list(filter(Plan.make({mood: 1.0}, intent, FilmQuery()).wish.fit, films))
        recent = sum(film.year is not None and film.year >= RECENT for film in fitting)
        if len(fitting) < MIN_FILMS or recent < MIN_RECENT_FILMS:
            yield f"{mood}, {intent}: {len(fitting)} films, {recent} of them since {RECENT}"
        for name, accepts in COMMON_FILTERS.items():
            filtered = sum(map(accepts, fitting))
            if filtered < MIN_FILTERED_FILMS:
                yield f"{mood}, {intent}, {name}: {filtered} films"


def _tone_problems(films: Iterable[Film], words: Iterable[Path], lexicon: Path) -> Iterator[str]:
    """Yield every film without a heavy tone on which there are several dark or scary public words."""
    heavy = {row["word"].lower() for row in _read_table(lexicon, "word", "axis") if row["axis"] in {"dark", "scary"}}
    said: dict[str, set[str]] = defaultdict(set)
    for path in words:
        for row in _read_table(path, "imdb_id"):
            said[row["imdb_id"]] |= heavy & {(row.get("tag") or row.get("keyword") or "").lower()}
    for film in films:
        if not (HEAVY | {"crude"}) & set(film.tone) and len(said[film.imdb_id]) >= MIN_HEAVY_WORDS:
            tone, found = "|".join(film.tone), ", ".join(sorted(said[film.imdb_id]))
            yield f"{film.imdb_id}: {film.title} is {tone}, but also {found}"


def _differences(films: Iterable[Film], path: Path) -> Iterator[str]:
    """Yield every known fact that differs, and how many films the table of facts lacks."""
    facts = {row["imdb_id"]: row for row in _read_table(path, "imdb_id", *DIFFERS)}
    missing = [film.imdb_id for film in films if film.imdb_id not in facts]
    for film, (name, differs) in product(films, DIFFERS.items()):
        ours, fact = getattr(film, name), facts.get(film.imdb_id, {}).get(name)
        try:
            if ours is not None and fact and differs(ours, fact):
                yield f"{film.imdb_id}: {name} is {ours!r}, the facts say {fact!r}"
        except ValueError as error:
            raise CatalogueError(f"{path}: {name} of {film.imdb_id} is not a number: {fact}") from error
    if missing:
        yield f"{len(missing)} films are not among the facts, the first is {missing[0]}"


def _read_table(path: Path, *columns: str) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except ValueError as error:
        raise CatalogueError(f"{path} is not a table in UTF-8: {error}") from error
    if not set(columns) <= set(reader.fieldnames or ()):
        raise CatalogueError(f"{path} needs the columns {', '.join(columns)}")
    return rows


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # for a title that the terminal cannot show
    sys.exit(main())

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from scraper.catalogue import Catalogue, load_bundled, load_imported
from scraper.errors import CatalogueError
from scraper.query import FilmQuery, Sort, genre_bits, weighted_rating


def test_reads_text_and_missing_values(catalogue: Catalogue) -> None:
    film = catalogue.bundled.films()[0]
    assert film.title == 'Film "a0x", a tale'
    assert film.genres == ("Comedy", "Family")
    assert film.runtime_min is None
    assert {film.lead for film in catalogue.bundled.films()} == {"woman", "man", None}


def test_sorts_as_asked(catalogue: Catalogue) -> None:
    table = catalogue.bundled
    latest = [film.year for film in table.find(FilmQuery())]
    popular = [film.votes for film in table.find(FilmQuery(sort=Sort.POPULAR))]
    best = [weighted_rating(film) for film in table.find(FilmQuery(sort=Sort.RATING))]
    assert latest == sorted(latest, reverse=True)
    assert popular == sorted(popular, reverse=True)
    assert best == pytest.approx(sorted(best, reverse=True))


def test_answers_many_threads_at_once(catalogue: Catalogue) -> None:
    expected = catalogue.bundled.find(FilmQuery(genres=("Comedy",)))
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: catalogue.bundled.find(FilmQuery(genres=("Comedy",))), range(100)))
    assert all(answer == expected for answer in answers)


def test_genre_bits_of_a_film_are_those_of_a_query(catalogue: Catalogue) -> None:
    rows = catalogue.bundled.connection.cursor().execute("SELECT genres, genre_bits FROM films").fetchall()
    assert all(bits == genre_bits(genres) for genres, bits in rows)


@pytest.mark.parametrize("content", [None, "id,title\n", "\n"])
def test_a_list_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CatalogueError):
        load_bundled(path)


def test_a_wrong_number_is_refused(films_csv: Path) -> None:
    films_csv.write_text(films_csv.read_text().replace(",1000,", ",many,"))
    with pytest.raises(CatalogueError, match="cannot be read"):
        load_bundled(films_csv)


def test_imported_tables_borrow_language_and_lead_from_the_bundled_list(tmp_path: Path, films_csv: Path) -> None:
    path = tmp_path / "films.parquet"
    row = "SELECT 'tt9000000' imdb_id, 'A' title, 2020 AS year, ['Drama'] genres, 7.0 rating, 9 votes, 90 runtime_min"
    metadata = "(FORMAT parquet, KV_METADATA {as_of: '2026-02-03'})"
    duckdb.execute(f"COPY ({row}, 'man' AS lead) TO '{path}' {metadata}")
    table = load_imported(path, films_csv)
    (film,) = table.films()
    assert (film.language, film.lead) == ("en", "woman")
    assert table.as_of.isoformat() == "2026-02-03"


def test_a_damaged_import_is_refused_with_a_remedy(tmp_path: Path, films_csv: Path) -> None:
    (tmp_path / "films.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(CatalogueError, match="import"):
        load_imported(tmp_path / "films.parquet", films_csv)

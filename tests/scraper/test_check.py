from __future__ import annotations

from pathlib import Path

import pytest

from scraper.catalogue import BUNDLED_CSV, load_bundled
from scraper.check import (
    FACTS,
    USUAL_FILTERS,
    check,
    compare,
    find_bad_facts,
    find_duplicates,
    find_thin_moods,
    read_facts,
)
from scraper.errors import CatalogueError
from scraper.film import Film
from scraper.moods import Mood

HEADER = "imdb_id,title,year,genres,rating,votes,runtime_min\n"


def test_the_bundled_list_is_sound() -> None:
    assert check(BUNDLED_CSV) == []


def test_the_bundled_list_agrees_with_the_facts(shared: Path) -> None:
    problems = check(BUNDLED_CSV, shared / "imdb" / "films.csv")
    assert problems == []


def test_finds_duplicates() -> None:
    films = [Film("tt0000001", "A", 2000), Film("tt0000001", "B", 2001), Film("tt0000002", "a", 2000)]
    assert len(list(find_duplicates(films))) == 2


@pytest.mark.parametrize(
    "film",
    [
        Film("tt0000001", "A", 2000, ("Joy",)),
        Film("tt0000001", "A", 2000),
        Film("tt0000001", "A", None, ("Drama",)),
        Film("tt0000001", "A", 2000, ("Drama",), rating=11),
        Film("tt0000001", "A", 2000, ("Drama",), lead="her"),  # type: ignore[arg-type]
    ],
)
def test_finds_bad_facts(film: Film) -> None:
    assert len(list(find_bad_facts([film]))) == 1


def test_finds_thin_moods() -> None:
    assert len(list(find_thin_moods([]))) == 2 * len(Mood) * (1 + len(USUAL_FILTERS))


def test_finds_the_one_filter_that_leaves_too_few() -> None:
    problems = list(find_thin_moods(film for film in load_bundled().films() if film.language == "en"))
    assert problems
    assert all("not English" in problem for problem in problems)


def test_finds_disagreement(tmp_path: Path) -> None:
    facts = tmp_path / "facts.csv"
    facts.write_text(HEADER + "tt0000001,A,2000,Drama|War,7.0,1000,90\ntt0000002,B,2000,Drama,,,\n")
    same = Film("tt0000001", "a", 2000, ("War", "Drama"), 7.2, 1500, 92)
    other = Film("tt0000001", "Z", 1999, ("Drama",), 8.2, 15000, 120)
    unknown = Film("tt0000003", "C", 2000, ("Drama",))
    read = read_facts(facts)
    assert list(compare([same, Film("tt0000002", "B", 2000, ("Drama",), 7, 5, 9)], read)) == []
    assert len(list(compare([other], read))) == 6
    assert list(compare([unknown], read)) == ["1 films are not among the facts, the first is tt0000003"]


def test_what_is_no_list_or_no_table_is_a_sentence(tmp_path: Path) -> None:
    header = BUNDLED_CSV.read_text("utf-8").splitlines()[0]
    wrong = {
        "id.csv": f"{header}\ntt12,Nameless,2000,Drama,7.0,5000,90,en,\n".encode(),
        "utf-16.csv": BUNDLED_CSV.read_text("utf-8").encode("utf-16"),
    }
    for name, content in wrong.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CatalogueError, match=name):
            check(tmp_path / name)
    facts = tmp_path / "facts.csv"
    first = load_bundled().films()[0]
    facts.write_text(f"{','.join(FACTS)}\n{first.imdb_id},{first.title},soon,,,,\n")
    with pytest.raises(CatalogueError, match="facts"):
        check(against=facts)


def test_refuses_facts_without_a_column(tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_text("imdb_id,title\n")
    for path in (tmp_path / "facts.csv", tmp_path / "none.csv"):
        with pytest.raises(CatalogueError):
            read_facts(path)

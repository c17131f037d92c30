"""Films for a mood: from IMDb's search where it answers, else from a list that comes along."""

from __future__ import annotations

from scraper.catalogue import BUNDLED_AS_OF, Catalogue
from scraper.errors import (
    CatalogueError,
    ImdbBlocked,
    ImdbEmpty,
    ImdbError,
    ImdbLayoutChanged,
    ImdbUnavailable,
    QueryError,
    ScraperError,
)
from scraper.film import GENRES, Film, Pick, Source, SourceKind
from scraper.imdb import ImdbClient
from scraper.moods import Intent, Mood
from scraper.page import Page
from scraper.parse import parse_page
from scraper.query import FilmQuery, Sort
from scraper.recommend import Recommendation, Recommender
from scraper.settings import ScraperSettings

__all__ = [
    "BUNDLED_AS_OF",
    "GENRES",
    "Catalogue",
    "CatalogueError",
    "Film",
    "FilmQuery",
    "ImdbBlocked",
    "ImdbClient",
    "ImdbEmpty",
    "ImdbError",
    "ImdbLayoutChanged",
    "ImdbUnavailable",
    "Intent",
    "Mood",
    "Page",
    "Pick",
    "QueryError",
    "Recommendation",
    "Recommender",
    "ScraperError",
    "ScraperSettings",
    "Sort",
    "Source",
    "SourceKind",
    "parse_page",
]

"""The films on the page: filters, the list of cards with its table, and the address that reproduces it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import gradio as gr

from scraper.errors import QueryError, ScraperError
from scraper.film import GENRES, Pick
from scraper.moods import Intent, Mood
from scraper.notice import Source
from scraper.query import FilmQuery, Sort
from ser_model.labels import Gender
from ui import answer, service, texts
from ui.page import LATEST, PRIVATE, Asked, Visit
from ui.template import TEMPLATES, SafeContext, escape, table, template

PAGE_SIZE = 12  # films that are added at a time

FIRST_YEAR = 1920
NOT_FILMS = {"Game-Show", "News", "Reality-TV", "Short", "Talk-Show"}  # genres of IMDb without films here
RATINGS = (6.0, 7.0, 8.0)
LENGTHS = (90, 120, 150)  # minutes
LANGUAGES = {
    "English": "en", "French": "fr", "Japanese": "ja", "Hindi": "hi", "Spanish": "es", "Italian": "it",
    "German": "de", "Chinese": "zh", "Korean": "ko", "Swedish": "sv", "Russian": "ru", "Danish": "da",
    "Persian": "fa", "Portuguese": "pt", "Norwegian": "no", "Polish": "pl", "Turkish": "tr", "Arabic": "ar",
}  # fmt: skip
FOLLOW_BACK = """addEventListener("popstate", () => trigger("click", { query: location.search.slice(1) }));"""
LIKE_MY_VOICE = "mine"
ANY = ""  # the answer of a list that filters nothing
DEFAULTS: dict[str, Any] = {
    "genres": [], "not_genres": [], "from_year": ANY, "to_year": ANY, "min_rating": ANY, "max_minutes": ANY,
    "language": ANY, "lead": "any", "sort": Sort.LATEST.value,
}  # fmt: skip
ADDRESS_NAMES = dict(
    zip(DEFAULTS, ("genres", "not", "from", "to", "rating", "minutes", "language", "lead", "sort"), strict=True)
)  # of the filters

POSTER_HOST = "m.media-amazon.com"  # of IMDb's posters
SHAPES = 5  # drawings on posters without a picture, see style.css
SIZES = (("large", 12, 8), ("medium", 26, 10))  # a title fits a size up to so many letters, and in its longest word


class ListRequest(NamedTuple):
    """What a list of films answers: whose mood, the intent, and the answers of the filters in the order of DEFAULTS."""

    visit: Visit
    intent: str
    answers: tuple[Any, ...]


class FilmListState:
    """The films on one visitor's page.

    It changes in place and under its lock, because events of one page run at the same time, and one could overwrite
    what another has just changed. It is no dataclass: Gradio would copy each field, which a lock forbids.
    """

    def __init__(self) -> None:
        self.question: ListRequest | None = None  # what the films answer; None at first, or if the answer failed
        self.films: tuple[Pick, ...] = ()
        self.notices: dict[tuple[str, str], str] = {}  # the newest sentence of each source and date of these films
        self.unwanted: frozenset[str] = frozenset()  # ids of films that the visitor has dismissed
        self.lock = threading.Lock()

    def begin(self, question: ListRequest) -> None:
        """Remove every film, to answer another question."""
        self.question, self.films, self.notices = question, (), {}

    def add(self, picks: tuple[Pick, ...], source: Source) -> None:
        """Add films from a source; without films its notice counts only if there is no other."""
        if picks or not self.notices:
            self.notices[source.kind, str(source.as_of)] = source.notice
        self.films += picks

    def __deepcopy__(self, memo: object) -> FilmListState:
        """Return an empty list, because Gradio copies the first one for each visitor."""
        return FilmListState()


class FilmList(NamedTuple):
    """The components of the list that other parts of the page follow, with the inputs and outputs of show_films."""

    state: gr.State
    intent: gr.Radio
    filters: list[Any]
    films: gr.HTML
    question: list[Any]
    shown: list[Any]


def draw(visit: gr.State, asked: Asked, page: gr.Blocks) -> FilmList:
    """Lay out filters and films; they follow the visitor's voice, mood and intent, and the address of the page."""
    state = gr.State(FilmListState())
    with gr.Accordion(texts.FILTERS, open=False, elem_id="filters", elem_classes="drawer") as drawer:
        filters = _draw_filters()
        reset = gr.Button(texts.RESET, elem_id="reset")
    say = {"films": texts.FILM_LIST, "at_imdb": texts.AT_IMDB, "dismiss": texts.DISMISS, "as_table": texts.AS_TABLE}
    say |= {"table": texts.FILM_TABLE, "save": texts.SAVE, "file": "films.csv"}
    films = template("films", elem_id="films", script=(TEMPLATES / "films.js").read_text("utf-8"), say=say)
    more = gr.Button(texts.MORE, visible=False, elem_id="more")

    question, shown = [asked.moods, visit, state, asked.intent, *filters], [state, films, more, drawer]
    looking = {"show_progress": "minimal", "show_progress_on": films}
    opened = page.load(
        open_address, visit, [visit, asked.verdict, asked.moods, drawer, asked.intent, *filters], **PRIVATE
    )
    way_back = template("address", elem_id="address", script=FOLLOW_BACK)
    outputs = [visit, asked.verdict, asked.moods, drawer, asked.intent, *filters]
    went_back = way_back.click(go_back, visit, outputs, **PRIVATE)
    cleared = reset.click(lambda: list(DEFAULTS.values()), None, filters, **PRIVATE)
    for earlier in (asked.predicted, asked.picked, cleared, opened, went_back):
        earlier.then(show_films, question, shown, **LATEST | looking)
    gr.on([one.input for one in (asked.intent, *filters)], show_films, question, shown, **LATEST | looking)
    films.click(dismiss_film, state, shown, trigger_mode="multiple", **PRIVATE)
    more.click(more_films, state, shown, **PRIVATE | looking)
    return FilmList(state, asked.intent, filters, films, question, shown)


def show_films(
    mood: str | None, visit: Visit, state: FilmListState, intent: str, *answers: Any
) -> tuple[FilmListState, Any, Any, Any]:
    """Look for films, unless the list answers this question already; return the list, films, "more" and the filters.

    The answers are those of the filters in the order of DEFAULTS. The mood is the one marked on the page, which counts
    if the server has forgotten the visit.
    """
    visit = visit if visit.probabilities else replace(visit, mood=mood)
    question = ListRequest(visit, intent, answers)
    with state.lock:
        if question == state.question or not (visit.probabilities or state.question):
            return state, gr.skip(), gr.skip(), gr.skip()  # such as when a filter was opened and not changed
        state.begin(question)
        return _fill(state, question, PAGE_SIZE)


def more_films(state: FilmListState) -> tuple[FilmListState, Any, Any, Any]:
    """Add films that are not on the page yet; return what show_films does."""
    with state.lock:
        if state.question is None:
            return _warn_of_expiry(state)
        return _fill(state, state.question, PAGE_SIZE)


def dismiss_film(event: gr.EventData, state: FilmListState) -> tuple[FilmListState, Any, Any, Any]:
    """Replace a film that the visitor does not want; return what show_films does."""
    with state.lock:
        if state.question is None:
            return _warn_of_expiry(state)
        kept = tuple(pick for pick in state.films if pick.film.imdb_id != event.imdb_id)
        if kept == state.films:
            return state, gr.skip(), gr.skip(), gr.skip()
        state.films, state.unwanted = kept, state.unwanted | {event.imdb_id}
        return _fill(state, state.question, 1)


def open_address(visit: Visit, request: gr.Request) -> list[Any]:
    """Do what the address asks for; return the visit, answer, mood, drawer, intent and the answers of the filters.

    The films follow in an event of their own, because looking for them may take seconds. A visitor who was quicker than
    the address keeps what they said.
    """
    mood, intent, answers = read_address(request.query_params)
    if (mood, intent, answers) == read_address({}) or visit.probabilities:
        return [gr.skip()] * (5 + len(answers))
    said = answer.describe_link(mood) if mood else escape()
    drawer = gr.Accordion(label=filters_title(answers))
    return [replace(visit, mood=mood), said, mood, drawer, intent, *answers]


def go_back(event: gr.EventData, visit: Visit) -> list[Any]:
    """Do what the address asks for to which the visitor went back; return what open_address does."""
    mood, intent, answers = read_address({name: values[0] for name, values in parse_qs(event.query).items()})
    visit = replace(visit, mood=mood) if mood else Visit(profile=visit.profile)
    said = answer.describe_pick(mood, visit.prediction) if mood else escape()
    return [visit, said, mood, gr.Accordion(label=filters_title(answers)), intent, *answers]


def write_address(mood: str | None, intent: str, answers: Sequence[Any]) -> str:
    """Return the query string that reproduces a list, without defaults.

    Examples:
        >>> write_address("sad", "lift", [[], ["War", "Horror"], "2015"])
        'mood=sad&intent=lift&not=War,Horror&from=2015'
    """
    parts = {"mood": mood, "intent": intent if intent != Intent.MATCH else None}
    for (name, default), value in zip(DEFAULTS.items(), answers, strict=False):
        if value and value != default:
            parts[ADDRESS_NAMES[name]] = ",".join(value) if isinstance(value, list) else str(value)
    return urlencode({name: value for name, value in parts.items() if value}, safe=",")


def read_address(parameters: Mapping[str, str]) -> tuple[str | None, str, list[Any]]:
    """Return the mood, the intent and the answers of the filters; what the page does not offer is left out."""
    mood, intent = parameters.get("mood"), parameters.get("intent")
    answers: list[Any] = []
    for name, offered in choices().items():
        values = {choice[1] if isinstance(choice, tuple) else choice for choice in offered}
        given, default = parameters.get(ADDRESS_NAMES[name], ""), DEFAULTS[name]
        if isinstance(default, list):
            answers.append([item for item in given.split(",") if item in values])
        else:
            answers.append(given if given in values else default)
    return mood if mood in tuple(Mood) else None, intent if intent in tuple(Intent) else Intent.MATCH.value, answers


def choices() -> dict[str, list[Any]]:
    """Return the possible answers of each filter: values, or pairs of a text and the value."""
    genres = [genre for genre in GENRES if genre not in NOT_FILMS]
    years = [str(year) for year in range(datetime.now(UTC).year, FIRST_YEAR - 1, -1)]
    return {
        **dict.fromkeys(("genres", "not_genres"), genres),
        **dict.fromkeys(("from_year", "to_year"), years),
        "min_rating": [(texts.RATING_CHOICE.format(value=value), f"{value:g}") for value in RATINGS],
        "max_minutes": [(texts.LENGTH_CHOICE.format(value=value), str(value)) for value in LENGTHS],
        "language": list(LANGUAGES.items()),
        "lead": list(texts.LEADS),
        "sort": list(texts.SORTS),
    }


def filters_title(answers: Iterable[Any]) -> str:
    """Return the title of the filters with the number of those that are set.

    Examples:
        >>> filters_title([[], ["War"], "2015"]), filters_title([])
        ('Filters: 2', 'Filters')
    """
    pairs = zip(answers, DEFAULTS.values(), strict=False)
    count = sum(bool(value) and value != default for value, default in pairs)
    return texts.FILTERS_SET.format(count=count) if count else texts.FILTERS


def make_query(answers: Iterable[Any], gender: Gender | None, limit: int) -> FilmQuery:
    """Turn the answers of the filters, in the order of DEFAULTS, into a query; missing answers filter nothing.

    Raises:
        QueryError: Two answers contradict each other, one is impossible, or "like my voice" needs a gender.
    """
    given = DEFAULTS | dict(zip(DEFAULTS, answers, strict=False))
    numbers = {name: int(given[name]) if given[name] else None for name in ("from_year", "to_year", "max_minutes")}
    if given["lead"] == LIKE_MY_VOICE:
        if gender is None:
            raise QueryError(texts.NEEDS_VOICE)
        given["lead"] = "woman" if gender is Gender.FEMALE else "man"
    return FilmQuery(
        genres=tuple(given["genres"] or ()),
        not_genres=tuple(given["not_genres"] or ()),
        **numbers,
        min_rating=float(given["min_rating"]) if given["min_rating"] else None,
        language=given["language"] or None,
        lead=given["lead"] if given["lead"] in ("woman", "man") else "any",
        sort=Sort(given["sort"] or Sort.LATEST),
        limit=limit,
    )


def make_film_card(pick: Pick) -> dict[str, Any]:
    """Describe a film for films.html; the link is made from the checked id alone."""
    film, poster = pick.film, urlsplit(pick.film.poster_url or "")
    poster_url = film.poster_url if poster.scheme == "https" and poster.netloc == POSTER_HOST else ""
    genres = [genre for genre in film.genres if genre in GENRES]
    facts = [str(film.year)] if film.year and poster_url else []  # without a picture, the year is on the poster
    facts += [f"★ {film.rating:.1f}"] if film.rating else []
    facts += [running_time(film.runtime_min)] if film.runtime_min else []
    longest = max(map(len, film.title.split()), default=0)
    fitting = (size for size, letters, word in SIZES if len(film.title) <= letters and longest <= word)
    classes = [genre.lower().replace("-", "") for genre in genres] or ["other"]
    return pick.to_dict() | {
        "poster_url": poster_url,
        "size": next(fitting, "small"),
        "year": str(film.year or ""),
        "facts": " · ".join(facts),
        "genres": ", ".join(genres),
        "paper": classes[0],
        "ink": classes[-1],
        "shape": int(film.imdb_id[2:]) % SHAPES,
    }


def make_film_table(picks: Iterable[Pick]) -> dict[str, Any]:
    """List films for table.html: name, rating, link, and the rest."""
    films = [pick.to_dict() | {"genres": ", ".join(pick.film.genres)} for pick in picks]
    rows = [[film[fact] for fact in texts.FILM_COLUMNS] for film in films]
    return table(list(texts.FILM_COLUMNS.values()), rows, rows)


def running_time(minutes: int) -> str:
    """Write a running time, such as 2h 14m, 2h or 45m."""
    hours, rest = divmod(minutes, 60)
    return " ".join(text for text, value in ((f"{hours}h", hours), (f"{rest}m", rest)) if value)


def _draw_filters() -> list[Any]:
    """Lay out the filters in the order of DEFAULTS."""
    offered = choices()
    with gr.Row():
        genres = gr.Dropdown(offered["genres"], multiselect=True, label=texts.GENRES, info=texts.GENRES_HINT)
        never = gr.Dropdown(offered["not_genres"], multiselect=True, label=texts.NOT_GENRES, info=texts.NOT_GENRES_HINT)
    with gr.Row(elem_id="filter-lists"):
        lists = [
            gr.Dropdown([(texts.ANY, ANY), *offered[name]], value=ANY, label=label, min_width=150)
            for name, label in texts.FILTER_LABELS.items()
        ]
    with gr.Row():
        lead = gr.Radio(offered["lead"], value=DEFAULTS["lead"], label=texts.LEAD_ROLE, elem_id="lead")
        order = gr.Radio(offered["sort"], value=DEFAULTS["sort"], label=texts.SORT, elem_id="sort")
    return [genres, never, *lists, lead, order]


def _fill(state: FilmListState, question: ListRequest, count: int) -> tuple[FilmListState, SafeContext, Any, Any]:
    """Add up to count films to the list; return what show_films does."""
    visit, intent, answers = question
    if not visit.probabilities:
        return state, escape(), gr.Button(visible=False), gr.Accordion()
    drawer = gr.Accordion(label=filters_title(answers))
    sounded = visit.prediction.emotion if visit.prediction else None
    address = write_address(visit.mood or sounded, intent, answers)
    exclude = {pick.film.imdb_id for pick in state.films} | state.unwanted
    try:
        query = make_query(answers, visit.prediction.gender if visit.prediction else None, count)
        found = service.recommend(visit.probabilities, intent, query, exclude)
    except ScraperError as error:
        state.question, sentence = None, f"{error}."
        for name, label in (*texts.FILTER_LABELS.items(), ("not_genres", texts.NOT_GENRES)):
            sentence = sentence.replace(name, f"“{label}”")
        said = escape(heading=texts.NO_FILMS, source=sentence, query=address)
        return state, said, gr.Button(visible=False), drawer
    goes_on = bool(state.notices or (exclude and found.picks))
    state.add(found.picks, found.source)
    ended = goes_on and len(found.picks) < count
    films = escape(
        heading=texts.FILMS[intent] if state.films else texts.NO_FILMS,
        reason=found.reason,
        source=" ".join([*state.notices.values(), *[texts.NO_MORE] * ended]),
        films=[make_film_card(pick) for pick in state.films],
        query=address,
        **make_film_table(state.films),
    )
    return state, films, gr.Button(visible=len(found.picks) == count), drawer


def _warn_of_expiry(state: FilmListState) -> tuple[FilmListState, Any, Any, Any]:
    """Leave the page as it is if there were so many visitors since that the server has forgotten this one."""
    gr.Warning(texts.EXPIRED)
    return state, gr.skip(), gr.skip(), gr.skip()

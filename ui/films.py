"""The films on the page: filters, the list of cards with its table, and the address that reproduces it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import gradio as gr

from scraper.errors import QueryError, ScraperError
from scraper.film import GENRES, IMDB_ID, Pick
from scraper.moods import Intent, Mood
from scraper.notice import Source
from scraper.parse import Page
from scraper.query import FilmQuery, Sort
from scraper.recommend import Recommendation
from ser_model.labels import Gender
from ui import answer, service, texts
from ui.page import LATEST, PRIVATE, Asked, Visit
from ui.template import TEMPLATES, escape, table, template

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
    "languages": [], "lead": "any", "sort": Sort.BEST.value, "tones": [], "kids": False, "day": ANY,
}  # fmt: skip
ADDRESS_NAMES = {  # of the filters, where they are shorter there
    "not_genres": "not", "from_year": "from", "to_year": "to", "min_rating": "rating", "max_minutes": "minutes",
    "languages": "language", "tones": "tone",
}  # fmt: skip
ON = "on"  # how an address says that a box is ticked
LANGUAGE_NAMES = {code: name for name, code in LANGUAGES.items()}
SURPRISES = 60  # films among which one is picked by chance
MAX_MARKED = 5_000  # films that a browser is asked to remember
OUTSIDE = {"tones", "kids", "day"}  # filters that are not in the drawer
NOTHING_MARKED: dict[str, list[str]] = {"seen": [], "dismiss": []}
TRAILERS = "https://www.youtube.com/results?search_query="
WHERE_TO_WATCH = "https://www.justwatch.com/us/search?q="

POSTER_HOST = "m.media-amazon.com"  # of IMDb's posters
SHAPES = 5  # drawings on posters without a picture, see style.css
SIZES = (("large", 12, 8), ("medium", 26, 10))  # a title fits a size up to so many letters, and in its longest word


class ListRequest(NamedTuple):
    """What a list of films answers: whose mood, the intent, and the answers of the filters in the order of DEFAULTS.

    The films may be those of a page that the visitor saved, or be like a film but lighter.
    """

    visit: Visit
    intent: str
    answers: tuple[Any, ...]
    page: Page | None = None
    lighter_than: str | None = None


class FilmListState:
    """The films on one visitor's page, which change in place and under a lock: events of a page run at the same time.

    It is no dataclass: Gradio would copy each field, which a lock forbids.
    """

    def __init__(self) -> None:
        self.question: ListRequest | None = None  # what the films answer; None at first, or if the answer failed
        self.films: tuple[Pick, ...] = ()
        self.notices: dict[tuple[str, str], str] = {}  # the newest sentence of each source and date of these films
        self.marked: dict[str, list[str]] = NOTHING_MARKED  # ids of films that the visitor has seen or dismissed
        self.last: tuple[str, Pick, tuple[Pick, ...]] | None = None  # what was marked as what, and the films before
        self.surprise: Pick | None = None  # picked by chance
        self.others = False  # whether films that feel different follow
        self.lock = threading.Lock()

    def begin(self, question: ListRequest) -> None:
        """Remove every film, to answer another question."""
        self.question, self.films, self.notices = question, (), {}
        self.last, self.surprise, self.others = None, None, False

    @property
    def unwanted(self) -> set[str]:
        """Ids of all films that are not to be shown."""
        return {imdb_id for ids in self.marked.values() for imdb_id in ids}

    def remember(self, marked: object) -> None:
        """Add what the browser remembers, which another tab or an earlier visit has marked."""
        theirs = read_marked(marked)
        self.marked = {kind: list(dict.fromkeys([*theirs[kind], *ids])) for kind, ids in self.marked.items()}

    def add(self, picks: tuple[Pick, ...], source: Source, others: int = 0) -> None:
        """Add films from a source; without any its notice counts if it tells of others, or if there is no other."""
        if picks or others or not self.notices:
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
    chips: gr.HTML
    films: gr.HTML
    question: list[Any]
    shown: list[Any]


def draw(visit: gr.State, asked: Asked, page: gr.Blocks) -> FilmList:
    """Lay out filters and films; they follow the visitor's voice, mood and intent, and the address of the page."""
    state = gr.State(FilmListState())
    # Gradio encrypts what it stores; a key that changed with each start would lose it
    marked = gr.BrowserState(NOTHING_MARKED, storage_key="mood-picks-marked", secret="films")  # noqa: S106
    with gr.Row(elem_id="tone-row"):
        tones = gr.CheckboxGroup(list(texts.TONE_CHOICES), label=texts.TONES, elem_id="tones")
        kids = gr.Checkbox(label=texts.KIDS, elem_id="kids")
        surprise = gr.Button(texts.SURPRISE, elem_id="surprise")
    with gr.Accordion(texts.FILTERS, open=False, elem_id="filters", elem_classes="drawer") as drawer:
        filters = [*_draw_filters(), tones, kids, gr.Textbox(visible=False)]
        reset = gr.Button(texts.RESET, elem_id="reset")
    chips = template("chips", elem_id="chips", script=(TEMPLATES / "chips.js").read_text("utf-8"))
    script = (TEMPLATES / "films.js").read_text("utf-8")
    films = template("films", elem_id="films", script=script, table=texts.FILM_TABLE, file="films.csv")
    with gr.Row(elem_id="more-row"):
        more = gr.Button(texts.MORE, visible=False, elem_id="more")
        others = gr.Button(texts.OTHERS, visible=False, elem_id="others")
    with gr.Accordion(texts.YOURS, open=False, elem_id="yours", elem_classes="drawer"):
        gr.HTML(f'<p class="quiet">{texts.YOURS_HINT}</p>', apply_default_css=False)
        file = gr.File(
            label=texts.DROP, file_types=[".html", ".htm", ".mhtml", ".csv"], height=110, elem_id="yours-file"
        )
        forget = gr.Button(texts.FORGET, elem_id="forget")

    question, shown = [asked.moods, visit, state, asked.intent, marked, *filters], [state, films, more, others, drawer]
    looking = {"show_progress": "minimal", "show_progress_on": films}
    outputs = [visit, asked.verdict, asked.moods, drawer, asked.intent, *filters]
    opened = page.load(open_address, visit, outputs, **PRIVATE)
    way_back = template("address", elem_id="address", script=FOLLOW_BACK)
    went_back = way_back.click(go_back, visit, outputs, **PRIVATE)
    cleared = reset.click(lambda: list(DEFAULTS.values()), None, filters, **PRIVATE)
    for earlier in (asked.predicted, asked.picked, cleared, opened, went_back):
        earlier.then(show_films, question, shown, **LATEST | looking)
    gr.on([one.input for one in (asked.intent, *filters)], show_films, question, shown, **LATEST | looking)
    films.click(act_on_film, [state, marked], [*shown, marked], trigger_mode="multiple", **PRIVATE)
    more.click(more_films, state, shown, **PRIVATE | looking)
    others.click(more_others, state, shown, **PRIVATE | looking)
    surprise.click(surprise_visitor, state, shown, **PRIVATE)
    file.upload(take_file, [file, state, marked], [*shown, marked, file], **PRIVATE | looking)
    forget.click(forget_films, state, [*shown, marked], **PRIVATE)
    return FilmList(state, asked.intent, filters, chips, films, question, shown)


def show_films(
    mood: str | None, visit: Visit, state: FilmListState, intent: str, marked: object, *answers: Any
) -> tuple[Any, ...]:
    """Look for films, unless the list answers this question already; return the list and what _fill shows.

    The answers are those of the filters in the order of DEFAULTS. The mood is the one marked on the page, which counts
    if the server has forgotten the visit. What the visitor has seen or dismissed comes from the browser.
    """
    visit = visit if visit.probabilities else replace(visit, mood=mood)
    question = ListRequest(visit, intent, answers)
    with state.lock:
        if question == state.question or not (visit.probabilities or state.question):
            return _list_anew(state, None)  # such as when a filter was opened and not changed
        state.remember(marked)
        return _list_anew(state, question)


def more_films(state: FilmListState) -> tuple[Any, ...]:
    """Add films that are not on the page yet; return what show_films does."""
    with state.lock:
        return _fill(state, PAGE_SIZE)


def more_others(state: FilmListState) -> tuple[Any, ...]:
    """Go on with films that pass the filters but feel different; return what show_films does."""
    state.others = True
    return more_films(state)


def surprise_visitor(state: FilmListState) -> tuple[Any, ...]:
    """Pick one of the films that fit by chance, and show it large; return what show_films does."""
    with state.lock:
        before = {state.surprise.film.imdb_id} if state.surprise else set()
        with suppress(ScraperError):  # which _fill explains
            found = _find(state, SURPRISES, state.unwanted | before)
            state.surprise = random.choice(found.picks) if found.picks else None  # noqa: S311  no secret
        return _fill(state, 0)


def act_on_film(event: gr.EventData, state: FilmListState, marked: object) -> tuple[Any, ...]:
    """Do what a button of the list says; return what show_films does, and what the browser should remember.

    A film that is seen or dismissed is replaced by another. "undo" takes that back, "lighter" lists films like one but
    lighter, and "back" returns from there.
    """
    with state.lock:
        action, missing = str(event.action), 0
        if state.question is None:
            return *_fill(state, 0), gr.skip()
        state.remember(marked)
        shown = (*state.films, *([state.surprise] if state.surprise else []))
        pick = next((pick for pick in shown if pick.film.imdb_id == event.imdb_id), None)
        if action == "back" or (pick and action == "lighter"):
            lighter_than = pick.film.imdb_id if pick else None
            return *_list_anew(state, state.question._replace(lighter_than=lighter_than)), gr.skip()
        if action == "undo" and state.last:
            (kind, last, state.films), state.last = state.last, None
            state.marked = state.marked | {kind: [one for one in state.marked[kind] if one != last.film.imdb_id]}
        elif pick and action in NOTHING_MARKED:
            kept = tuple(one for one in state.films if one != pick)
            missing = len(state.films) - len(kept)
            state.last, state.films = (action, pick, state.films), kept
            state.surprise = None if state.surprise == pick else state.surprise
            state.marked = state.marked | {action: [*state.marked[action], pick.film.imdb_id][-MAX_MARKED:]}
        else:
            return *_list_anew(state, None), gr.skip()
        return *_fill(state, missing), state.marked


def take_file(path: str | None, state: FilmListState, marked: object) -> tuple[Any, ...]:
    """List the films of a saved page, or mark those of an export as seen; the file is deleted.

    Returns what act_on_film does, and nothing for the field of the file.
    """
    if path is None:
        return *_list_anew(state, None), gr.skip(), gr.skip()
    with state.lock:
        question = state.question
        try:
            state.remember(marked)
            if Path(path).suffix.lower() == ".csv":
                seen = list(dict.fromkeys([*state.marked["seen"], *sorted(service.read_export(path))]))[-MAX_MARKED:]
                state.marked = state.marked | {"seen": seen}
                gr.Info(texts.MARKED.format(count=len(seen)))
            elif question is None:
                raise QueryError(texts.NEEDS_MOOD)
            else:
                question = question._replace(page=service.read_page(path), lighter_than=None)
        except ScraperError as error:
            gr.Warning(f"{error}.")
            question = None
        finally:
            Path(path).unlink(missing_ok=True)
        return *_list_anew(state, question), state.marked, None


def forget_films(state: FilmListState) -> tuple[Any, ...]:
    """Forget what was seen and dismissed; return what act_on_film does."""
    with state.lock:
        state.marked = NOTHING_MARKED
        gr.Info(texts.FORGOTTEN)
        return *_list_anew(state, state.question), state.marked


def read_marked(value: object) -> dict[str, list[str]]:
    """Return the ids of the films that the visitor has seen or dismissed; what the browser sends may be anything."""
    lists = {kind: value.get(kind) if isinstance(value, dict) else None for kind in NOTHING_MARKED}
    return {
        kind: [one for one in ids[-MAX_MARKED:] if isinstance(one, str) and IMDB_ID.fullmatch(one)]
        if isinstance(ids, list)
        else []
        for kind, ids in lists.items()
    }


def open_address(visit: Visit, request: gr.Request) -> list[Any]:
    """Do what the address asks for; return the visit, answer, mood, drawer, intent and the answers of the filters.

    The films follow in an event of their own, because looking for them may take seconds. A visitor who was quicker than
    the address keeps what they said.
    """
    mood, intent, answers = read_address(request.query_params)
    if (mood, intent, answers) == read_address({}) or visit.probabilities:
        return [gr.skip()] * (5 + len(answers))
    said = answer.describe_link(mood) if mood else escape()
    return [replace(visit, mood=mood), said, *_mark(mood, intent, answers)]


def go_back(event: gr.EventData, visit: Visit) -> list[Any]:
    """Do what the address asks for to which the visitor went back; return what open_address does."""
    mood, intent, answers = read_address({name: values[0] for name, values in parse_qs(event.query).items()})
    visit = replace(visit, mood=mood) if mood else Visit(profile=visit.profile)
    said = escape()
    if mood:
        said = answer.describe_link(mood) if "," in mood else answer.describe_pick(mood, visit.prediction)
    return [visit, said, *_mark(mood, intent, answers)]


def _mark(mood: str | None, intent: str, answers: list[Any]) -> list[Any]:
    """Return the one mood to mark, the drawer, the intent and the answers of the filters."""
    drawer = gr.Accordion(label=filters_title(answers))
    return [mood if mood in tuple(Mood) else None, drawer, intent, *answers]


def write_address(mood: str | None, intent: str, answers: Sequence[Any]) -> str:
    """Return the query string that reproduces a list, without defaults.

    Examples:
        >>> write_address("sad", "lift", [[], ["War", "Horror"], "2015"])
        'mood=sad&intent=lift&not=War,Horror&from=2015'
    """
    parts = {"mood": mood, "intent": intent if intent != Intent.MATCH else None}
    for (name, default), value in zip(DEFAULTS.items(), answers, strict=False):
        if value and value != default:
            text = ON if value is True else ",".join(value) if isinstance(value, list) else str(value)
            parts[ADDRESS_NAMES.get(name, name)] = text
    return urlencode({name: value for name, value in parts.items() if value}, safe=",")


def read_address(parameters: Mapping[str, str]) -> tuple[str | None, str, list[Any]]:
    """Return the mood, the intent and the answers of the filters; what the page does not offer is left out."""
    mood, intent = answer.read_mood(parameters.get("mood", "")), parameters.get("intent")
    answers: list[Any] = []
    for name, offered in choices().items():
        values = {choice[1] if isinstance(choice, tuple) else choice for choice in offered}
        given, default = parameters.get(ADDRESS_NAMES.get(name, name), ""), DEFAULTS[name]
        if name == "day":
            with suppress(ValueError):
                default = date.fromisoformat(given).isoformat()
            answers.append(default)
        elif isinstance(default, bool):
            answers.append(given == ON)
        elif isinstance(default, list):
            answers.append([item for item in given.split(",") if item in values])
        else:
            answers.append(given if given in values else default)
    return mood, intent if intent in tuple(Intent) else Intent.MATCH.value, answers


def choices() -> dict[str, list[Any]]:
    """Return the possible answers of each filter: values, or pairs of a text and the value."""
    genres = [genre for genre in GENRES if genre not in NOT_FILMS]
    years = [str(year) for year in range(datetime.now(UTC).year, FIRST_YEAR - 1, -1)]
    return {
        **dict.fromkeys(("genres", "not_genres"), genres),
        **dict.fromkeys(("from_year", "to_year"), years),
        "min_rating": [(texts.RATING_CHOICE.format(value=value), f"{value:g}") for value in RATINGS],
        "max_minutes": [(texts.LENGTH_CHOICE.format(value=value), str(value)) for value in LENGTHS],
        "languages": list(LANGUAGES.items()),
        "lead": list(texts.LEADS),
        "sort": list(texts.SORTS),
        "tones": list(texts.TONE_CHOICES),
        "kids": [],
        "day": [],
    }


def filters_title(answers: Iterable[Any]) -> str:
    """Return the title of the filters with the number of those that are set.

    Examples:
        >>> filters_title([[], ["War"], "2015"]), filters_title([])
        ('Filters: 2', 'Filters')
    """
    pairs = zip(answers, DEFAULTS.items(), strict=False)
    count = sum(bool(value) and value != default for value, (name, default) in pairs if name not in OUTSIDE)
    return texts.FILTERS_SET.format(count=count) if count else texts.FILTERS


def make_query(answers: Iterable[Any], gender: Gender | None, limit: int) -> FilmQuery:
    """Turn the answers of the filters, in the order of DEFAULTS, into a query; missing answers filter nothing.

    Raises:
        QueryError: Two answers contradict each other, one is impossible, or "like my voice" needs a gender.
    """
    given = DEFAULTS | dict(zip(DEFAULTS, answers, strict=False))
    if given["lead"] == LIKE_MY_VOICE:
        if gender is None:
            raise QueryError(texts.NEEDS_VOICE)
        given["lead"] = "woman" if gender is Gender.FEMALE else "man"
    lists: dict[str, Any] = {name: tuple(given[name] or ()) for name in ("genres", "not_genres", "languages", "tones")}
    for name in ("from_year", "to_year", "max_minutes"):
        given[name] = int(given[name]) if given[name] else None
    given["min_rating"] = float(given["min_rating"]) if given["min_rating"] else None
    given |= {"lead": given["lead"] or "any", "sort": Sort(given["sort"] or Sort.BEST), "day": given["day"] or None}
    return FilmQuery(**given | lists, limit=limit)


def make_film_card(pick: Pick) -> dict[str, Any]:
    """Describe a film for films.html; the link is made from the checked id alone."""
    film, poster = pick.film, urlsplit(pick.film.poster_url or "")
    poster_url = film.poster_url if poster.scheme == "https" and poster.netloc == POSTER_HOST else ""
    genres = [genre for genre in film.genres if genre in GENRES]
    facts = [str(film.year)] if film.year and poster_url else []  # without a picture, the year is on the poster
    facts += [f"★ {film.rating:.1f}"] if film.rating else []
    facts += [running_time(film.runtime_min)] if film.runtime_min else []
    facts += [film.certificate] if film.certificate else []
    search = quote_plus(f"{film.title} {film.year or ''}".strip())
    longest = max(map(len, film.title.split()), default=0)
    fitting = (size for size, letters, word in SIZES if len(film.title) <= letters and longest <= word)
    classes = [genre.lower().replace("-", "") for genre in genres] or ["other"]
    return pick.to_dict() | {
        "poster_url": poster_url,
        "size": next(fitting, "small"),
        "year": str(film.year or ""),
        "facts": " · ".join(facts),
        "genres": ", ".join(genres),
        "language": LANGUAGE_NAMES.get(film.language or "", ""),
        "trailer": f"{TRAILERS}{search}+trailer",
        "watch": f"{WHERE_TO_WATCH}{quote_plus(film.title)}",
        "paper": classes[0],
        "ink": classes[-1],
        "shape": int(film.imdb_id[2:]) % SHAPES,
    }


def make_film_cards(picks: Iterable[Pick]) -> list[dict[str, Any]]:
    """Describe films for films.html; a poster never looks like the one before it."""
    cards: list[dict[str, Any]] = []
    for card in map(make_film_card, picks):
        alike = cards and all(card[look] == cards[-1][look] for look in ("paper", "shape"))
        cards.append(card | {"shape": (card["shape"] + 1) % SHAPES} if alike else card)
    return cards


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
    """Lay out the filters of the drawer in the order of DEFAULTS."""
    offered = choices()
    with gr.Row():
        genres = gr.Dropdown(offered["genres"], multiselect=True, label=texts.GENRES, info=texts.GENRES_HINT)
        never = gr.Dropdown(offered["not_genres"], multiselect=True, label=texts.NOT_GENRES, info=texts.NOT_GENRES_HINT)
    with gr.Row(elem_id="filter-lists"):
        lists = [
            gr.Dropdown(offered[name], multiselect=True, label=label, min_width=150)
            if isinstance(DEFAULTS[name], list)
            else gr.Dropdown([(texts.ANY, ANY), *offered[name]], value=ANY, label=label, min_width=150)
            for name, label in texts.FILTER_LABELS.items()
        ]
    with gr.Row():
        lead = gr.Radio(offered["lead"], value=DEFAULTS["lead"], label=texts.LEAD_ROLE, elem_id="lead")
        order = gr.Radio(offered["sort"], value=DEFAULTS["sort"], label=texts.SORT, elem_id="sort")
    return [genres, never, *lists, lead, order]


def _find(state: FilmListState, count: int, exclude: set[str]) -> Recommendation:
    if state.question is None:
        raise QueryError(texts.EXPIRED)
    visit, intent, answers, page, lighter_than = state.question
    query = make_query(answers, visit.prediction.gender if visit.prediction else None, max(count, 1))
    more = {"page": page, "lighter_than": lighter_than, "others": state.others}
    return service.recommend(visit.probabilities, intent, query, exclude, **more)


def _list_anew(state: FilmListState, question: ListRequest | None) -> tuple[Any, ...]:
    """List films for a question, or leave the page as it is; return what _fill does."""
    if question is None:
        return state, *[gr.skip()] * 4
    state.begin(question)
    return _fill(state, PAGE_SIZE)


def _fill(state: FilmListState, count: int) -> tuple[Any, ...]:
    """Add up to count films; return the list, what it shows, the buttons for more and others, and the drawer."""
    if state.question is None:  # there were so many visitors since that the server has forgotten this one
        gr.Warning(texts.EXPIRED)
        return _list_anew(state, None)
    visit, intent, answers, _, lighter_than = state.question
    no_button = gr.Button(visible=False)
    if not visit.probabilities:
        return state, escape(), no_button, no_button, gr.Accordion()
    drawer = gr.Accordion(label=filters_title(answers))
    given = DEFAULTS | dict(zip(DEFAULTS, answers, strict=False))
    today, other_day = datetime.now(UTC).date().isoformat(), ""
    if given["sort"] == Sort.BEST:
        other_day = given["day"] if given["day"] != today else ""
        given["day"] = given["day"] or today
    address = write_address(visit.named, intent, list(given.values()))
    exclude = {pick.film.imdb_id for pick in state.films} | state.unwanted
    try:
        found = _find(state, count, exclude)
    except ScraperError as error:
        heading = texts.WRONG_FILTERS if isinstance(error, QueryError) else texts.NO_FILMS
        state.question, sentence = None, f"{error}."
        for name, label in (*texts.FILTER_LABELS.items(), ("not_genres", texts.NOT_GENRES)):
            sentence = sentence.replace(name, f"“{label}”")
        return state, escape(heading=heading, source=sentence, query=address), no_button, no_button, drawer
    is_end, ended = len(found.picks) < max(count, 1), False
    if count:
        ended = is_end and not found.others and bool(state.notices or (exclude and found.picks))
        state.add(found.picks, found.source, found.others)
    films = escape(
        heading=texts.FILMS[intent] if state.films else texts.NO_FILMS,
        reason=found.reason,
        source=" ".join([*state.notices.values(), *[texts.NO_MORE] * ended]),
        search=found.address,
        other_day=texts.OTHER_DAY.format(day=other_day) if other_day else "",
        today=write_address(visit.named, intent, list((given | {"day": ANY}).values())),
        is_lighter=bool(lighter_than),
        done=texts.DONE[state.last[0]].format(title=state.last[1].film.title) if state.last else "",
        surprise=make_film_card(state.surprise) if state.surprise else None,
        films=make_film_cards(state.films),
        query=address,
        **make_film_table(state.films),
    )
    show_others = bool(is_end and found.others and not state.others)
    return state, films, gr.Button(visible=not is_end), gr.Button(visible=show_others), drawer

"""Every text of the page, in one place; whatever a visitor reads that is not a fact about a film or a voice."""

TITLE = "Mood Picks"
QUESTION = "How do you feel?"
LEAD = "Say it out loud or pick a mood. You get films that fit."

SPEAK = "Say a sentence"
SPEAK_HINT = "Any sentence, in the tone you are in. Recordings are deleted after an hour."
EXAMPLES = "No microphone? Try a synthetic voice:"
VOICES = {"lively": "Lively", "slow": "Slow", "sharp": "Sharp"}
UPLOAD, MICROPHONE, START_OVER = "Upload", "Microphone", "Start over"
PICK = "Or pick a mood"
WHICH = "Which is it? Pick the mood that fits"
CORRECT = "Not right? Pick the mood that fits"
INTENT = "The films should"
INTENTS = (("Match my mood", "match"), ("Lift my mood", "lift"))
MORE = "More films"
SHOW_VOICE = "Also say if the voice sounds male or female (never changes the films)"

FILMS = {"match": "Films that match your mood", "lift": "Films that lift your mood"}
SOUND, MAY_SOUND, FEEL = "You sound {emotion}.", "You may sound {emotion}.", "You feel {emotion}."
CERTAINTY = "{words}: {percent}."
CERTAINTY_WORDS = ((0.9, "Very sure"), (0.7, "Quite sure"), (0.5, "Leaning this way"), (0.0, "A careful guess"))
STRENGTH = {"strong": "Said strongly ({percent} sure).", "normal": "Said mildly ({percent} sure)."}
VOICE = "Sounds like a {gender} voice ({percent} sure)."
SOUNDED = "It sounded {emotion}, but you know better."
COULD_BE = "You might be {first}, {second} or {third}. Which is it?"
BARS = "How probable each emotion is"
UNSURE = "Not sure how you feel."
UNSURE_HINT = "Until you pick one, the films are a broad mix."
GONE = "The recording is gone from this computer. Please record again."
BUSY = "That did not work: too many people may be here just now. Please try again in a minute."
LOOKING = "Looking for films…"
FILM_LIST, FILM_TABLE = "Films", "Films as a table"
AS_TABLE = "As a table"
AT_IMDB = "at IMDb, opens in a new tab"
DISMISS = "Not this one"
FILM_COLUMNS = ("Name", "Rating", "Link", "Year", "Minutes", "Genres", "Language", "Votes", "Why")
OPEN = "IMDb"
SAVE = "Save as CSV"
NO_MORE = "That was every film that fits."
NO_FILMS = "No films just now"
FORGOTTEN = (
    "This page was open for so long that its films were forgotten. Pick another mood, or record again, to go on."
)
NEEDS_VOICE = "“Like my voice” needs a recording; say a sentence, or choose a woman or a man"
NO_MODEL = "The voice cannot be heard just now because the model is missing. Please pick a mood instead."

FILTERS, FILTERS_SET = "Filters", "Filters: {count}"
ANY = "Any"
GENRES, GENRES_HINT = "Genres", "In place of those that fit the mood"
NOT_GENRES, NOT_GENRES_HINT = "Never these genres", "No film may have one of them"
FILTER_LABELS = {
    "from_year": "From year",
    "to_year": "Until year",
    "min_rating": "IMDb rating",
    "max_minutes": "Length",
    "language": "Original language",
}
RATING_CHOICE = "{value:g} or more"
LENGTH_CHOICE = "up to {value} minutes"
HOURS, MINUTES = "{value}h", "{value}m"
LANGUAGES = {
    "English": "en", "French": "fr", "Japanese": "ja", "Hindi": "hi", "Spanish": "es", "Italian": "it",
    "German": "de", "Chinese": "zh", "Korean": "ko", "Swedish": "sv", "Russian": "ru", "Danish": "da",
    "Persian": "fa", "Portuguese": "pt", "Norwegian": "no", "Polish": "pl", "Turkish": "tr", "Arabic": "ar",
}  # fmt: skip
LEAD_ROLE = "Lead role"
LEADS = (("Any", "any"), ("A woman", "woman"), ("A man", "man"), ("Like my voice", "mine"))
SORT = "Sort by"
SORTS = (("Latest", "latest"), ("Popular", "popular"), ("Rating", "rating"))
RESET = "Reset filters"

COMPARE = "Compare with a large model"
COMPARISON = "Comparison"
COST = "{parameters} parameters, {ms:.0f} ms"
THOUSAND, MILLION = "{count:.0f} thousand", "{count} million"
AND_UNSURE = ", not sure"
SMALL_MODEL = "The small model of this page"
LARGE_MODEL = "wav2vec2, a large model"
AGREE = "Both models hear the same."
DISAGREE = "The two models disagree."
ONE_MODEL = "Only the small model is here."
LARGER = "The large one has {times} times the parameters. Times include decoding and finding the speech."
LOADING_RIVAL = "Listening with both models. The first time, the large one takes a moment to load."
STILL_LOADING = "The large model is still loading. Ask again in a minute."
NO_CLIP = "There is no recording. Say a sentence first."

CLOSER = "What it heard"
HEARD = "What it heard"
DRAWING = "Drawing what it heard…"
FIGURES = {
    "waveform": (
        "The sound, and the voice in it",
        "The amber part, {start:.1f} to {end:.1f} seconds, is where a voice was found. Only that part is judged.",
    ),
    "timeline": (
        "The emotion over time",
        "The clip is heard in windows of four seconds. The brighter a field, the more probable that emotion there.",
    ),
    "mel": (
        "What the model sees",
        (
            "A log-mel spectrogram: low tones at the bottom, high ones on top, brighter is louder. "
            "Loudness is evened out first, so a quiet microphone makes no difference. "
            "The model gets the part with the voice."
        ),
    ),
    "voice": (
        "How high and how loud",
        (
            "The voice moves mostly between {low:.0f} and {high:.0f} Hz (amber). Blue is the energy. "
            "Excited voices are often higher and move more; sad and calm ones are flatter."
        ),
    ),
    "unpitched": (
        "How high and how loud",
        "No clear pitch was found, as in a whisper. Blue is the energy.",
    ),
    "classic": (
        "MFCC and chroma",
        (
            "Two classic descriptions. MFCC is the colour of the sound; part of the model uses something like it. "
            "Chroma is how much of each musical note is in it, shown for comparison."
        ),
    ),
}

SECONDS, MEL_BAND, PITCH, ENERGY, MFCC, CHROMA = "seconds", "mel band", "pitch, Hz", "energy, dB", "MFCC", "chroma"
NOTES = ("C", "D", "E", "F", "G", "A", "B")

LIMITS = (
    "The model learnt from 24 North American actors reading English sentences with acted feelings. "
    "It guesses how a voice sounds; it does not know how you are, and it is no diagnosis."
)
LIVE = "Live: how you sound while you speak"
LIVE_HINT = (
    "Speak and watch the bars: each second the last four are judged. "
    "It ends by itself after {limit} seconds. Nothing of it is kept."
)
LIVE_BARS = "How probable each emotion is just now"
LIVE_LISTENING = "Listening…"
LIVE_SILENT = "No voice just now. Speak, and the bars move."
LIVE_NOTHING = "No voice was heard. Check that the microphone is on, and try again."
LIVE_FACTS = "{seconds} of {limit} seconds, judged in {ms} ms"
LIVE_OVER = "You sounded mostly {emotion}."
LIVE_FORGOTTEN = "{seconds} seconds, all forgotten already."
TEACH = "Teach it your voice"
TEACH_HINT = (
    "Some voices are harder to read than others. Say one line as you usually speak, and you are heard against "
    "yourself; say it in all eight moods, and it learns more. Kept for this visit only."
)
TEACH_MEASURED = "Measured on actors it had never heard:"
TEACH_GAIN_ONE = "one line raises the right answers from {before}% to {after}%."
TEACH_GAIN = "Eight lines raise the right answers from {before}% to {after}%."
TEACH_PROGRESS = "Progress"
TEACH_STEP = "Line {number} of {all}"
TEACH_LINE = "{emotion}: “I left my keys on the kitchen table.”"
TEACH_MANNERS = {
    "neutral": "As you usually speak, without any feeling.",
    "calm": "Softly and at ease, as on a slow Sunday.",
    "happy": "As if they had been lost, and there they are.",
    "sad": "As if you will not go home any more.",
    "angry": "As if somebody has taken them, again.",
    "fearful": "As if somebody is in the house.",
    "disgust": "As if something sticky is all over them.",
    "surprised": "As if you had been sure they were in your bag.",
}
TEACH_SAID = ", said"
TEACH_FULL = "All eight lines are learned. To say them again, forget your voice first."
TEACH_LEARNED_OTHER = "A voice is learned. Record a sentence above: you are heard against yourself now."
TEACH_LEARNED_ONE = "Learned from one line. Record a sentence above: you are heard against yourself now."
TEACH_LEARNED = "Learned from eight lines. Record a sentence above: you are heard against yourself now."
TEACH_SAVE = "Save what was learned"
TEACH_SAVE_HINT = "A few numbers, no sound. Bring the file along the next time."
TEACH_BRING = "Bring a saved voice"
TEACH_FORGET = "Forget my voice"
OWN_VOICE = "Heard against your own voice."
BATCH = "Several recordings at once"
BATCH_PICK = "Recordings, up to 60 seconds each"
BATCH_COLUMNS = ("File", "Emotion", "Note", "Voice")
BATCH_UNSURE = "not sure"
BATCH_PROGRESS = "{done} of {all} heard…"
BATCH_DONE = "{good} of {all} recordings judged."
BATCH_LEFT_OUT = " {left_out} more were left out; {limit} at a time is the limit."

QUALITY = "How good is it?"
QUALITY_SUMMARY = "Measured on 24 actors, each clip judged by a network that never heard its actor."
CHANCE = "Guessing, one in eight"
PEOPLE = "People"
THIS_MODEL = "This model, new voices"
OTHERS = {
    "Original recipe, new voices": "classic",
    "Random split, known voices": "random",
    "Original recipe, known clips": "classic-random-copies",
}
LADDER = (
    "Right answers",
    (
        "People listened to the same recordings and had seven answers to choose from (Livingstone & Russo 2018). "
        "A random split tests on voices that were heard in training, or even on copies of clips that were: it "
        "flatters, and says nothing about your voice."
    ),
)
RECALL = ("Found, by emotion", "How many of 100 clips of each emotion it recognises.")
ACTORS = ("Hardest actor", "Middle actor", "Easiest actor")
BY_ACTOR = ("Right answers, by actor", "Some voices are far harder to read than others. Yours may be one of them.")
SURE_SHARE = (
    "It answers {share} of the clips and says it is not sure about the rest; {right} of those answers are right. "
    "The kind of voice, male or female, is right for {voice}."
)
TERMS = (
    "The model was trained on RAVDESS (CC BY-NC-SA 4.0), so it may not be used commercially. "
    "Film facts from IMDb are for personal, non-commercial use. Nothing you say is kept longer than an hour."
)
CREDITS = "Film facts courtesy of IMDb."

NO_MICROPHONE = "No microphone was found. Connect one, upload a recording, or pick a mood."
DENIED = (
    "The microphone is blocked for this page. "
    "Allow it in the browser's address bar, upload a recording, or pick a mood."
)
INSECURE = "Browsers allow the microphone on https pages only. Upload a recording or pick a mood."
TOO_LARGE = "Files over 20 MB are left out. Choose a shorter recording, or save it as MP3."

# What a program is told that asks for what there is not
CLOSED = "This address is closed. Use the page, or the endpoints under /gradio_api/info."
NO_ROOM = "the recording cannot be kept: there is no room on this computer just now, please try again later"
NO_LENGTH = "an upload must say how large it is, in Content-Length"
TOO_LONG = "a request may have 1 MB; send recordings to /gradio_api/upload"
IN_THE_LOG = "this did not work, and the reason stands in the log of the computer that runs the page"
UNFETCHED = (
    "The recording at this web address cannot be fetched. Please use a public https address of a file under 20 MB."
)

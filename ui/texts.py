"""Every text of the page, in one place; whatever a visitor reads that is not a fact about a film or a voice."""

TITLE = "Mood Picks"
QUESTION = "How do you feel?"
LEAD = "Say it out loud or pick a mood, and get films that fit. It listens to how you say it, not to the words."

DESCRIPTION = "Say a sentence or pick a mood: it hears how you feel and finds films that match the mood or lift it."
PICTURE_SAYS = "How do you feel? Eight faces, from neutral to surprised."

SPEAK = "Say a sentence"
SPEAK_HINT = "Say anything, the way you feel: how was your day?"
SPEAK_LIMITS = "Up to {seconds} seconds, or a file of up to {megabytes} MB. It is deleted within the hour."
EXAMPLES = "No microphone? Try one of these"
VOICES = {"cheerful": "Cheerful voice", "sad": "Sad voice", "angry": "Angry voice"}
UPLOAD, MICROPHONE, RECORD_AGAIN, START_OVER = "Upload", "Microphone", "Record again", "Start over"
UNCUT, TRIM, PAUSE = "Undo", "Cut", "Pause"
DROP_HERE, DROP_FILE = "Drop a recording here, or choose one", "Drop files here, or choose some"
FIRST_MINUTE = "Use the first minute"
PICK, INTENT = "Or pick a mood", "The films should"
WHICH, CORRECT = "Which one is right?", "Not right? Pick the mood that fits"
INTENTS = (("Match my mood", "match"), ("Lift my mood", "lift"))

SOUND, MAY_SOUND, CHOSE = "You sound {emotion}.", "You may sound {emotion}.", "You chose “{emotion}”."
VOICE_SOUNDS = "This voice sounds {emotion}."
FOR_A_MOOD = "Films for {article} {emotion} mood"
CERTAINTY, CERTAINTY_MEASURED = "{words} ({percent}).", "{words}: answers like this are right {times}."
CERTAINTY_WORDS = ((0.9, "Very sure"), (0.7, "Quite sure"), (0.5, "Fairly sure"), (0.0, "A careful guess"))
TIMES = {
    0.4: "two times in five", 0.5: "half of the time", 0.6: "three times in five", 0.67: "two times in three",
    0.75: "three times in four", 0.8: "four times in five", 0.9: "nine times in ten",
}  # fmt: skip
INTENSITY = {"strong": "Spoken with strong feeling.", "normal": "Spoken with mild feeling."}
GENDER, MAYBE_GENDER = {"female": "A woman's voice", "male": "A man's voice"}, "{gender}, perhaps"
HIDE = "Hide"
ADAPTED = "Compared with your usual voice."
SOUNDED = "It sounded {emotion}, but you know better."
COULD_BE = "You might be {first}, {second} or {third}."
ALL_EIGHT, ALL_EIGHT_UNSURE = "Not right? See all eight", "Something else? See all eight"
PICK_HERE = "Press the one that is right."
BARS = "How probable each emotion is"
UNSURE = "Not sure how you feel."
UNSURE_HINT = "Which is it? Until you pick one, the films are a broad mix."
GONE = "This recording has been deleted. Please record again."
NO_MODEL = "Voice recognition is unavailable. Pick a mood instead."
NO_CLIP = "There is no recording. Say a sentence first."
FILE_TOO_LONG = "This file is longer than a minute. Use its first minute, or choose a shorter one."
SLOW = "The connection is slow or lost. This is still being sent."
UNSENT = "There is no connection, so this was not sent. It is sent as soon as the connection is back."
FULL = "Too many people are here right now. It is sent again by itself."
SEND_AGAIN = "Send again"
BUSY = "That did not work. There may be too many visitors; please try again in a minute."

FILMS = {"match": "Films that match your mood", "lift": "Films that lift your mood"}
LOOKING = "Looking for films…"
FILM_LIST, FILM_TABLE, AS_TABLE = "Films", "Films as a table", "As a table"
OPEN, AT_IMDB = "IMDb", "at IMDb, opens in a new tab"
DISMISS, MORE, SAVE = "Not for me", "More films", "Save as CSV"
SEEN, LIGHTER, UNDO, BACK = "Seen it", "Like this, but lighter", "Undo", "Back to the films for your mood"
DONE = {"seen": "“{title}” is marked as seen.", "dismiss": "“{title}” will not be shown again."}
TRAILER, WATCH = "Trailer", "Where to watch"
KEEP, KEPT, COPY, DOWNLOAD = "Keep", "Films you keep", "Copy", "Download"
SURPRISE, SURPRISED = "Surprise me", "How about this one?"
OTHERS, ASK_IMDB = "Show the others", "Open this search on IMDb"
OTHER_DAY, TODAY = "This is the list of {day}.", "Show today's"
TONES, KIDS = "They should be", "Good with kids"
TONE_CHOICES = (
    ("Warm", "warm"), ("Funny", "funny"), ("Calm", "calm"), ("Exciting", "exciting"), ("Dark", "dark"), ("Sad", "sad"),
    ("Thoughtful", "thoughtful"),
)  # fmt: skip
YOURS = "Films you have seen, and pages from IMDb"
YOURS_HINT = (
    "IMDb often refuses this server, but not your browser. Open the search there, save the page, and drop the file "
    "here: you get its films, ranked for your mood. An export of your ratings or diary from Letterboxd or IMDb (CSV) "
    "marks its films as seen. The files are read and deleted; what you have seen stays in this browser."
)
DROP, FORGET = "A saved page of IMDb (.html, .mhtml) or an export (.csv)", "Forget what I have seen and dismissed"
MARKED, FORGOTTEN = "{count} films are marked as seen.", "Nothing is marked any more."
NEEDS_MOOD = "Pick a mood or say a sentence first"
PAGE_TOO_LARGE = "the saved page is larger than 5 MB, which no search page is"
FILM_COLUMNS = {
    "title": "Name", "rating": "Rating", "url": "Link", "year": "Year", "runtime_min": "Minutes", "genres": "Genres",
    "language": "Language", "certificate": "Certificate", "votes": "Votes", "why": "Feel",
}  # fmt: skip
NO_MORE, NO_FILMS = "Those are all the films that fit.", "No film fits all your filters"
WRONG_FILTERS = "These filters need a change"
EXPIRED = "These films were lost here. Pick your mood again to go on."
NEEDS_VOICE = "“A voice like mine” needs a recording; say a sentence, or choose a woman or a man"

SHARE, COPIED = "Share this list", "Link copied"
ONE_FILM, SOME_FILMS, MANY_FILMS = "{count} film", "{count} films", "{count} films and more"
DROP_FILTER, WITHOUT = "remove this filter", "Without “{filter}”: {count}"
CHIPS = {  # a filter in use, in a few words
    "not_genres": "No {value}", "from_year": "From {value}", "to_year": "To {value}", "min_rating": "★ {value}",
    "lead": "Lead: {value}", "sort": "By {value}", "kids": "Good with kids",
}  # fmt: skip
FILTERS, FILTERS_SET, ANY = "Filters", "Filters: {count}", "Any"
GENRES, GENRES_HINT = "Genres", "Instead of what suits your mood"
NOT_GENRES, NOT_GENRES_HINT = "Never these genres", "No film may have any of them"
FILTER_LABELS = {
    "from_year": "From year",
    "to_year": "To year",
    "min_rating": "IMDb rating",
    "max_minutes": "Length",
    "languages": "Original language",
}
RATING_CHOICE, LENGTH_CHOICE = "{value:g} or more", "up to {value} minutes"
LEAD_ROLE, SORT, RESET = "Lead role", "Sort by", "Reset filters"
LEADS = (("Any", "any"), ("A woman", "woman"), ("A man", "man"), ("A voice like mine", "mine"))
SORTS = (("Best fit", "best"), ("Latest", "latest"), ("Popular", "popular"), ("Rating", "rating"))

SECOND_OPINION = "Second opinion"
NETWORK, HEAD, JOINED = "This page's network", "The second opinion", "Both together"
NETWORK_IS = "{millions} million parameters, all of them trained here, on acted speech."
HEAD_IS = "{millions} million parameters of {encoder}, which others trained{hours}, and {head} million trained here."
ENCODER_HOURS = {"openai/whisper-base": " on 680,000 hours of speech"}
JOINED_IS = "Both answers multiplied, with weights chosen on voices that neither of them knew."
TOOK, AND_UNSURE = "Took {ms:.0f} ms.", ", not sure"
AGREE, DISAGREE = "Both say “{first}”.", "One says “{first}”, the other “{second}”."
JOINED_SAY = "Together they say: {reading}."
USE_JOINED = "Use both together for the films"
ASKING, LOADING = "Asking for a second opinion…", "Loading the second opinion…"
DOWNLOADING, DOWNLOADED = "Downloading the second opinion, this first time only…", "{here} of {whole} MB"
STILL_LOADING = "The second opinion is still loading. Try again in a minute."
NO_SECOND_OPINION = "The second opinion cannot be loaded right now. Everything else on this page works without it."
SWITCHED_OFF = "Second opinions are switched off on this server (SECOND_OPINION=off)."
BROKEN = "The second opinion cannot be loaded; see the server log. The network still works."

EXPLAIN, DRAWING = "What it heard", "Drawing what it heard…"
EXPERTS = "For experts: MFCC and chroma"
FIGURES = {  # title, a few words, and what is seen
    "timeline": (
        "The emotion over time",
        "The clip is cut into windows of four seconds. The stronger the color, the more probable the emotion there.",
        "The most probable emotion: {course}.",
    ),
    "waveform": (
        "The sound, and the voice in it",
        "The colored part, {start:.1f} to {end:.1f} seconds, is the speech that was found. Only that part counts.",
        "{length:.1f} seconds of sound, with speech from {start:.1f} to {end:.1f} seconds.",
    ),
    "mel": (
        "What the model sees",
        (
            "A log-mel spectrogram: low frequencies at the bottom, high ones at the top, the stronger the color, the "
            "louder. The loudness is normalized first, so a quiet microphone makes no difference. "
            "The model gets only the part with the voice."
        ),
        "Sound by time and frequency over {length:.1f} seconds, strongest from {start:.1f} to {end:.1f} seconds.",
    ),
    "voice": (
        "Pitch and loudness",
        (
            "The pitch is mostly between {low:.0f} and {high:.0f} Hz (amber). Blue is the energy. "
            "Excited voices are often higher and more varied; sad and calm ones are flatter."
        ),
        "The pitch around {middle:.0f} Hz, mostly between {low:.0f} and {high:.0f} Hz, and the energy, as lines.",
    ),
    "unpitched": (
        "Pitch and loudness",
        "No clear pitch was found, as in a whisper. Blue is the energy.",
        "A line of the energy over {length:.1f} seconds; there is no pitch.",
    ),
    "classic": (
        "MFCC and chroma",
        (
            "Two classic features. MFCC describe the color of the sound; part of the model uses something similar. "
            "Chroma is how much of each musical note there is; it is shown for comparison."
        ),
        "Twenty MFCC and twelve notes over {length:.1f} seconds, as two fields of color.",
    ),
}
SECONDS, MEL_BAND, PITCH, ENERGY, MFCC, CHROMA = "seconds", "mel band", "pitch, Hz", "energy, dB", "MFCC", "chroma"
NOTES = ("C", "E", "G", "B")

LIVE = "Live: how you sound while you speak"
LIVE_HINT = (
    "Speak and watch the bars: it judges the last four seconds, every second. "
    "It stops by itself after {limit} seconds. Nothing is stored."
)
LIVE_BARS = "How probable each emotion is right now"
LIVE_LISTENING = "Listening…"
LIVE_SILENT = "No voice right now. Speak, and the bars move."
LIVE_NOTHING = "No voice was heard. Check that the microphone is on, and try again."
LIVE_FACTS = "{seconds} of {limit} seconds"
LIVE_OVER = "You sounded mostly {emotion}."
LIVE_FORGOTTEN = "{seconds} seconds, already deleted."

ENROLL = "Adapt it to your voice"
ENROLL_HINT = (
    "Some voices are harder to read than others. Read one line in your normal voice so the model can adapt to you. "
    "Read it in all eight moods for a better fit. It is kept for this visit only."
)
ENROLL_MEASURED = "Measured on actors it had never heard:"
ENROLL_GAIN_ONE = "one line brings it from {before}% to {after}% correct answers,"
ENROLL_GAIN = "eight lines from {before}% to {after}%."
ENROLL_PROGRESS, ENROLL_STEP, ENROLL_DONE = "Progress", "Line {number} of {all}", ", done"
ENROLL_AGAIN = "say it again"
ENROLL_LINE = "{emotion}: “I left my keys on the kitchen table.”"
ENROLL_MANNERS = {
    "neutral": "In your normal voice, without any feeling.",
    "calm": "Softly and at ease, as on a slow Sunday.",
    "happy": "As if they had been lost, and there they are.",
    "sad": "As if you will never go home again.",
    "angry": "As if somebody has taken them, again.",
    "fearful": "As if somebody is in the house.",
    "disgust": "As if they were covered in something sticky.",
    "surprised": "As if you had been sure they were in your bag.",
}
ENROLL_FULL = "All eight lines are done. To read them again, forget your voice first."
ENROLLED = "The model is adapted to your voice. Record a sentence above."
ENROLL_SO_FAR = "{done} of {all} said. From {all} on it learns more; now it uses the first, and works already."
ENROLLED_ONE = "The model is adapted to your voice by one line. Record a sentence above."
ENROLLED_EIGHT = "The model is adapted to your voice by eight lines. Record a sentence above."
ENROLL_SAVE = "Save my voice"
ENROLL_SAVE_HINT = "A few numbers, no sound. Load the file on your next visit."
ENROLL_LOAD = "Load my voice"
ENROLL_FORGET = "Forget my voice"
FORGOT_VOICE = "Your voice was forgotten here. Load it, or read a line again."

BATCH, BATCH_PICK = "Several recordings at once", "Recordings, up to 60 seconds and 20 MB each"
BATCH_COLUMNS, BATCH_UNSURE = ("File", "Emotion", "Note", "Voice"), "not sure"
BATCH_PROGRESS = "{done} of {all} done…"
BATCH_DONE, BATCH_NOT_SURE, BATCH_BAD = "{good} judged", " ({count} not sure)", ", {count} could not be"
BATCH_LEFT_OUT = " {left_out} more were left out; the limit is {limit} at a time."

QUALITY = "How good is it?"
QUALITY_SUMMARY = "Every clip was predicted by a model that had never heard its speaker."
CHANCE, PEOPLE, THIS_MODEL = "Guessing, one in eight", "People", "This model, new voices"
CLASSIC = "Old method, new voices"
RANDOM = "Flattering test: old method, voices it knows"
COPIES = "Flattering test: old method, clips it knows"
ACCURACY = (
    "Correct answers",
    (
        "People listened to the same recordings and had seven answers to choose from (Livingstone & Russo 2018). "
        "A flattering test uses voices that were in the training data, or even copies of its clips: the figures look "
        "better, but say nothing about your voice."
    ),
)
RECALL = ("Recognized, by emotion", "Of 100 clips of an emotion, how many are recognized.")
ACTORS = ("Hardest actor", "Middle actor", "Easiest actor")
BY_ACTOR = ("Correct answers, by actor", "Some voices are far harder to read than others. Yours may be one of them.")
STRANGERS = (
    "People from other recordings",
    (
        "Each of these collections was kept out of training, with its people, its language and its microphones. "
        "A visitor is such a stranger. Mean recall over the emotions of each collection."
    ),
)
CHANCE_OF_STRANGERS, MEAN = "Guessing, on average", "This model, on average"
CORPORA = {
    "crema-d": "English, 91 people",
    "nemo": "Polish, 9 people",
    "ased": "Amharic, 65 people",
    "urdu": "Urdu, talk shows",
    "tess": "English, 2 women",
}
STRANGERS_SURE = (
    "On people from other recordings it answers {share} of the clips and says it is not sure about the rest; "
    "{right} of those answers are correct."
)
SURE_SHARE = (
    "On new actors of its own corpus, with a threshold chosen on the others, it answers {share}, and {right} of those "
    "answers are correct. Voice gender is correct for {gender} of their clips."
)
TERMS = (
    "The model was trained on RAVDESS and nEMO (CC BY-NC-SA 4.0) and CREMA-D (ODbL 1.0), so it may not be used "
    "commercially. "
    "Film facts from IMDb are for personal, non-commercial use. Nothing you say is kept longer than an hour."
)
LIMITS = (
    "The model learned from 124 actors, American and Polish, who read sentences with acted feelings. "
    "It guesses how a voice sounds; it does not know how you are, and it is not a diagnosis."
)
CREDITS = "Film facts courtesy of IMDb."

NO_MICROPHONE = "No microphone was found. Connect one, upload a recording, or pick a mood."
DENIED = "The microphone is blocked here. Allow it in the address bar, upload a recording, or pick a mood."
INSECURE = "Browsers allow the microphone on https pages only. Upload a recording or pick a mood."
TOO_LARGE = "Files over 20 MB are left out. Choose a shorter recording, or save it as MP3."

# For programs
UNKNOWN_EVENT = "There is no such call, or its answer has been read already. Call the endpoint again."
CLOSED = "This address is closed. Use the page, or the endpoints under /gradio_api/info."
NOT_A_FILE = (
    "audio must be an uploaded file: handle_file(path) in the Python client; "
    "over MCP a data URL, or the address under which this server shows an upload"
)
NOT_IDS = "exclude must be a list of IMDb ids such as tt0111161"
NOT_A_LIST = "files must be a list of uploaded files"
NO_UPLOAD = "an upload is multipart/form-data with one or more files named files"
NO_ROOM = "the recording cannot be stored: the server is full right now, please try again later"
NO_LENGTH = "an upload must state its size in Content-Length"
TOO_LONG = "a request may have up to 1 MB; send recordings to /gradio_api/upload"
IN_THE_LOG = "Internal error; see the server log."
WEB_ADDRESS = "Recordings are not fetched from web addresses. Download the file and upload it to /gradio_api/upload."

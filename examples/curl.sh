#!/usr/bin/env bash
# Ask a running app with nothing but curl: upload a recording, have it judged, then look for films.
#   bash examples/curl.sh http://127.0.0.1:7860 ui/voices/lively.wav
set -euo pipefail
url="${1%/}/gradio_api"
recording="$2"

# An upload answers with a list of one path; the mark "_type" says that the path is one of the app's own.
path="$(curl -sf -F "files=@$recording" "$url/upload" | tr -d '[]"')"
file="{\"path\": \"$path\", \"meta\": {\"_type\": \"gradio.FileData\"}}"

# Every call is two requests: the first answers with a number, the second waits for the answer.
ask() {
  number="$(curl -sf "$url/call/$1" -H 'Content-Type: application/json' -d "{\"data\": $2}" | sed 's/.*"event_id":"\([^"]*\)".*/\1/')"
  curl -sf "$url/call/$1/$number"
}

ask recognize "[$file, null]"
ask recommend_from_voice "[$file, \"lift\", 3, null]"

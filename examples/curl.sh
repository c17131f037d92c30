#!/usr/bin/env bash
# Call a running app with curl: upload a recording, predict its emotion, then get films for it.
#   bash examples/curl.sh http://127.0.0.1:7860 ui/voices/cheerful.wav
set -euo pipefail
url="${1%/}/gradio_api"
recording="$2"

# The answer to an upload is a list with one path. The "_type" marks the path as an uploaded file.
path="$(curl -sf -F "files=@$recording" "$url/upload" | tr -d '[]"')"
file="{\"path\": \"$path\", \"meta\": {\"_type\": \"gradio.FileData\"}}"

# A call takes two requests: the first returns an event id, the second waits for the answer.
call() {
  id="$(curl -sf "$url/call/v2/$1" -H 'Content-Type: application/json' -d "$2" | sed 's/.*"event_id":"\([^"]*\)".*/\1/')"
  curl -sf "$url/call/$1/$id"
}

call recognize "{\"audio\": $file}"
call recommend_from_voice "{\"audio\": $file, \"intent\": \"lift\", \"limit\": 3}"

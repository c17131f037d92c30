"""Speech-emotion recognition: from a recording to what the voice sounds like."""

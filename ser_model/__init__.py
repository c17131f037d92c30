"""Speech-emotion recognition: from a recording to what the voice sounds like."""

from ser_model import environment

environment.prepare()  # before anything imports what it is about

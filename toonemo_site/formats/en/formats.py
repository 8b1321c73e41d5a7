"""English. The last two are ours: a moment of this year, and one with its seconds."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i"
DAY_TIME_FORMAT = "j F, H:i"
DAY_SECONDS_FORMAT = "j F, H:i:s"

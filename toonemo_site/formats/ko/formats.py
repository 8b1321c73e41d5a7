"""Korean."""

DATE_FORMAT = "Y년 n월 j일"
DATETIME_FORMAT = "Y년 n월 j일 H:i"
DAY_TIME_FORMAT = "n월 j일 H:i"
DAY_SECONDS_FORMAT = "n월 j일 H:i:s"

"""Value types of Iran: digits, national ID, foreign code, Jalali date, phones, provinces and working days."""

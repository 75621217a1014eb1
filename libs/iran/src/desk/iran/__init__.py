"""Value types of Iran: digits, national ID, Jalali date, phones, provinces and working days."""

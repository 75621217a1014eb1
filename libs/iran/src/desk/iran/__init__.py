"""Value types of Iran: digits, national ID, foreign national's code, Jalali date, phones, provinces and working days."""

"""Infrastructure every service of the desk needs; it knows no request, applicant or province."""

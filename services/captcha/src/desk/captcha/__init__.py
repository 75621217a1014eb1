"""Challenges that distinguish people from programs, each valid for one right answer."""

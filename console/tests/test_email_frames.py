"""The frame of an email: its styles in a sheet that the policy of the page allows, and no others."""

import base64
import hashlib
import re

from desk.console.domain.email_frames import email_frame
from desk.console.middleware import content_policy

EMAIL = """<!DOCTYPE html>
<html><head><title>x</title></head>
<body style="margin: 0"><p style="color: #6b6459; font-family: &#39;Vazirmatn&#39;">one</p><p style="margin: 0">two</p>
<p>a text with style=&#34;color: red&#34; and &lt;/head&gt;</p></body></html>"""


def test_equal_styles_become_one_class_and_a_text_is_left_as_it_is():
    document = email_frame(EMAIL).document

    assert '<body class="s0"><p class="s1">one</p><p class="s0">two</p>' in document
    assert "<style>.s0{margin: 0}.s1{color: #6b6459; font-family: 'Vazirmatn'}</style></head>" in document
    assert "style=&#34;color: red&#34; and &lt;/head&gt;" in document
    assert ' style="' not in document


def test_the_policy_allows_exactly_this_style_sheet():
    frame = email_frame(EMAIL)
    (sheet,) = re.findall("<style>(.*?)</style>", frame.document)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()

    assert frame.style_source == f"'sha256-{digest}'"
    assert f"style-src 'self' 'sha256-{digest}'; " in content_policy(frame.style_source)
    assert "unsafe" not in content_policy(frame.style_source)

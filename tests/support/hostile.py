"""What strangers type to see whether it runs, hides, or breaks a page. `window.struck` tells that something ran."""

HOSTILE = (
    # It runs.
    "<script>window.struck=1</script>",
    "</textarea></title></template><script>window.struck=1</script>",
    "<!--<script>window.struck=1</script>-->",
    "<img src=x onerror=window.struck=1>",
    '"><img src=x onerror=window.struck=1>',
    "'><svg/onload=window.struck=1>",
    "\" autofocus onfocus='window.struck=1' x=\"",
    "' autofocus onfocus=window.struck=1 x='",
    "<iframe src=javascript:window.struck=1>",
    "javascript:window.struck=1",
    "<a href='https://example.com' hx-get='/' hx-trigger=load>x</a>",
    "\\u003cscript\\u003ewindow.struck=1\\x3c/script\\x3e",
    "&lt;script&gt;window.struck=1&#60;/script&#62;",
    # It is worked out by somebody behind us.
    "{{ 7 * 7 }}{% raw %}${7*7}#{7*7}",
    "%(name)s %s %n {0}",
    "'; DROP TABLE donations; --",
    '=HYPERLINK("https://example.com")',
    # It breaks the layout.
    '<a href="https://example.com" style="position:fixed;inset:0">x</a>',
    "Ш" * 60,
    "W" * 500,
    "👨‍👩‍👧‍👦" * 8,
    "я" + "\N{COMBINING ACUTE ACCENT}" * 50,
    "\N{COMBINING ACUTE ACCENT}".join("Привет") + "\N{COMBINING ENCLOSING KEYCAP}" * 20,
    "\N{RIGHT-TO-LEFT OVERRIDE}обратный порядок\N{POP DIRECTIONAL FORMATTING}",
    "عربي مع English و 123",
    "\N{ARABIC LETTER SEEN}" * 30 + "شكرا",
)

"""Texts that strangers write to break a page: none may run, and none may push a page wider than its screen."""

HOSTILE = (
    "<script>window.struck=1</script>",
    "<img src=x onerror=window.struck=1>",
    '"><svg onload=window.struck=1>',
    "' autofocus onfocus=window.struck=1 x='",
    "</textarea><script>window.struck=1</script>",
    "</title><script>window.struck=1</script>",
    "<!--<iframe src=javascript:window.struck=1>",
    "{{ 7 * 7 }}{% raw %}${7*7}#{7*7}",
    "javascript:window.struck=1",
    "&lt;b&gt;&#60;script&#62;window.struck=1",
    "<a href='https://example.com' hx-get='/' hx-trigger=load>x</a>",
    "Ш" * 60,
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "\N{ARABIC LETTER SEEN}" * 30 + "شكرا",
    "\N{COMBINING ACUTE ACCENT}".join("Привет") + "\N{COMBINING ENCLOSING KEYCAP}" * 20,
    "👩‍👩‍👧‍👦" * 8,
    '=HYPERLINK("https://example.com")',
    "'; DROP TABLE donations; --",
    "%(name)s %s %n {0}",
    "\\u003cscript\\u003e\\x3cscript\\x3e",
)

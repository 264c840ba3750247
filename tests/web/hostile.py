"""What strangers type to see whether it runs, hides, or breaks a page. `window.struck` tells that it ran."""

HOSTILE = [
    "<script>window.struck=1</script>",
    '"><img src=x onerror=window.struck=1>',
    "'><svg/onload=window.struck=1>",
    "</title></textarea></template><script>window.struck=1</script>",
    "<!--<script>window.struck=1</script>-->",
    '" autofocus onfocus="window.struck=1',
    "javascript:window.struck=1",
    "{{ 7*7 }}{% raw %}${7*7}%(name)s%s",
    "&lt;script&gt;window.struck=1&lt;/script&gt;",
    "<iframe src=javascript:window.struck=1>",
    '<a href="https://evil.example" style="position:fixed;inset:0">x</a>',
    "'; DROP TABLE streamers; --",
    "\u202eобратный порядок\u202c",
    "Ж" * 60,
    "W" * 500,
    "👨‍👩‍👧‍👦" * 8,
    "я" + "\u0301" * 50,
    "عربي مع English و 123",
]

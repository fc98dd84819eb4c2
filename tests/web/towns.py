"""A home with people, and with jobs of somebody who would like to do more than they may."""

from __future__ import annotations

from .sites import Site

SECRET = "hunter2-is-no-secret-but-this-is"  # what a job gets and no page may show
REVERSED = "\u202e"
TAGS = ("javascript:alert(1)", "<script>tag</script>", "'\"><svg onload=alert(1)>", f"{REVERSED}gnp.exe")
EVIL = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "javascript:document.title='owned'",
    "{{ 'tem' ~ 'plated' }}",
    "..%2f..%2fetc%2fpasswd",
    "../../etc/passwd",
    "a/b?c=d#e&f;g",
    "né ﷽ 工作 🚂",
    "x" * 200,
)
OUTPUT = (
    "<script>document.title='owned'</script>\n"
    "<img src=x onerror=\"document.title='owned'\">\n"
    "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07\n"
    f"{REVERSED}drawkcab\n\0\x08\n"
    "{{ 'tem' ~ 'plated' }}\n"
)


def settle(site: Site) -> Site:
    """Let people in, and let the jobs run once."""
    file = site.folder / "output"
    file.write_text(OUTPUT)
    secret = site.folder / "secret"
    secret.write_text(SECRET)
    for name in EVIL:
        site.add(
            name,
            f"cat {file}; cat {file} >&2; test -n '{REVERSED}<b>'",
            ("every", "1h"),
            tags=TAGS,
            description=f"</p><script>document.title='owned'</script>{REVERSED} backwards",
        )
    site.add("fails", f"echo {REVERSED}'<i>out'; exit 3", ("every", "1h"))
    site.add("has-a-secret", 'test "${#TOKEN}" -gt 9 && echo "$TOKEN"', secrets={"TOKEN": f"file:{secret}"})
    site.client.verbs.pause(EVIL[0])
    for name, role in (("ann", "admin"), ("olga", "operator"), ("vera", "viewer")):
        site.user(name, role)
    return site


def run_all(site: Site) -> None:
    """Run each job to its end."""
    for name in (*EVIL, "fails", "has-a-secret"):
        site.run(name)

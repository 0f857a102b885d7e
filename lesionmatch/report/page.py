"""The page of a study: one file that needs no network and runs only its own code.

Everything from the study passes Jinja's escaping. The content security policy names the
page's own style and script by their hashes and forbids all else, so that a text that
should slip through could still not run, load or send anything.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lesionmatch.report import words


@cache
def environment() -> Environment:
    """The Jinja environment of all pages: escapes everything, refuses what is undefined."""
    made = Environment(
        loader=PackageLoader("lesionmatch.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = words.number
    made.filters["relation_words"] = lambda value: words.words(words.RELATIONS, value)
    return made


def asset(*names: str) -> Markup:
    """Files of report/static one after another, to stand in the page as they are.

    Only the package's own files come here, never anything of a study.
    """
    folder = resources.files("lesionmatch.report").joinpath("static")
    return Markup("\n".join(folder.joinpath(name).read_text("utf-8") for name in names))


def rendered(
    template: str,
    *,
    styles: Sequence[str],
    scripts: Sequence[str] = (),
    pictures: str = "data:",
    **values: object,
) -> str:
    """A page of a template with its own styles and scripts in it.

    `pictures` is where the policy lets its images come from.
    """
    templates = environment()
    style = Markup("".join(templates.get_template(name).render() for name in styles))
    script = asset(*scripts)
    return templates.get_template(template).render(
        policy=_policy(style, script, pictures), style=style, script=script, **values
    )


def _policy(style: str, script: str, pictures: str) -> str:
    """The content security policy of a page with one style and one script element."""
    return (
        f"default-src 'none'; img-src {pictures}; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def data_uri(media: str, content: bytes) -> str:
    """Bytes as the address of an image that stands in the page itself."""
    return f"data:{media};base64,{base64.b64encode(content).decode('ascii')}"

"""Makes ``workbench/lexicon/data/dictionary.txt.gz``: the forms of a word, by part of speech.

Run with ``python -m benchmarks.dictionary WORDS``, where WORDS is a list of English words, one a line
(the public-domain Webster's of 1934 served for the file that is there). Of these, and of the
lexicon's own words, those that lemminflect knows are written with its forms, obtained through its
public interface. The table is read in place, which costs a process's first prompt a few
milliseconds; lemminflect takes half a second.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Final

import lemminflect

from workbench.lexicon.morphology import DICTIONARY

_LETTERS: Final = {"NOUN": "n", "PROPN": "p", "VERB": "v", "ADJ": "a", "ADV": "r", "AUX": "x"}
_TAGS: Final = ("NNS", "VBZ", "VBG", "VBD", "VBN", "JJR", "JJS", "RBR", "RBS")
_DATA: Final = DICTIONARY.parent


def main() -> None:
    """Write the dictionary of the words in the file that the command line names."""
    words = set(Path(sys.argv[1]).read_text("utf-8").lower().split())
    for name in ("subjects", "places", "grammar", "english"):
        words.update((_DATA / f"{name}.toml").read_text("utf-8").lower().split())
    words = {w for w in words if w.isascii() and w.isalpha() and lemminflect.getAllLemmas(w)}
    forms: dict[str, dict[str, tuple[str, ...]]] = {}
    for word in sorted(words):
        for pos, lemmas in lemminflect.getAllLemmas(word).items():
            if word in lemmas:
                found = lemminflect.getAllInflections(word, upos=pos)
                forms.setdefault(word, {}).update({t: found[t] for t in _TAGS if t in found})
    known = words | {f for table in forms.values() for several in table.values() for f in several}
    lines = []
    for word in sorted(w for w in known if w.isascii() and w.replace("-", "").isalpha()):
        lemmas = lemminflect.getAllLemmas(word)
        said = " ".join(f"{_LETTERS[pos]}:{'/'.join(own)}" for pos, own in lemmas.items())
        shapes = " ".join(f"{tag}:{'/'.join(own)}" for tag, own in forms.get(word, {}).items())
        lines.append(f"{word}\t{said}\t{shapes}\n")
    text = "".join(sorted(lines)).encode()
    DICTIONARY.write_bytes(gzip.compress(text, 9, mtime=0))
    sys.stdout.write(f"{len(lines):,} words, {DICTIONARY.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()

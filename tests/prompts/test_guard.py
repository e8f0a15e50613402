"""The guard over what a language model writes: no good answer is discarded, no broken one passes.

The answers were written as capable models, and failing ones, would write them, without sight of the
code. What they scored on first contact stands in docs/benchmarks.md; now they hold the guard in
place. ``answers_kinds_*`` were written beside the code: each kind of fault in the languages that
ideas come in, and good answers that look like one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.prompts.language_models.writing.answers import Enhanced, plain_text
from workbench.prompts.language_models.writing.evidence import (
    has_evidence,
    shows_nothing,
    uncovered,
)
from workbench.prompts.language_models.writing.garbled import is_garbled
from workbench.prompts.language_models.writing.guard import (
    fault_in,
    is_document,
    without_preamble,
)

DATA = Path(__file__).parent / "data"


def lines(name: str) -> list[dict[str, Any]]:
    text = (DATA / name).read_text("utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def fault_of(line: dict[str, Any]) -> str:
    """Return why the answer is not taken; empty when it is.

    Lines say how the endpoint ended the answer only where the text alone does not tell.
    """
    answer = Enhanced.model_validate(line["answer"]) if line["answer"].get("prompt") else None
    if answer is None or is_document(answer.prompt):
        return "is no answer"
    text = without_preamble(plain_text(answer.prompt))
    missing = uncovered(line["idea"], text, answer.evidence)
    is_ended = line.get("finish_reason") == "stop"
    is_whole = is_ended and has_evidence(line["idea"], text, answer.evidence)
    fault = fault_in(text, line["idea"], longest=4_000, is_whole=is_whole)
    is_empty = shows_nothing(line["idea"], text, missing, answer.evidence)
    return fault or ("shows nothing" if is_empty else "")


@pytest.mark.parametrize("line", lines("answers_good.jsonl"), ids=lambda line: line["idea"][:40])
def test_a_good_answer_is_taken(line: dict[str, Any]) -> None:
    assert fault_of(line) == ""


@pytest.mark.parametrize("line", lines("answers_broken.jsonl"), ids=lambda line: line["fault"])
def test_a_broken_answer_is_not_taken(line: dict[str, Any]) -> None:
    assert fault_of(line)


@pytest.mark.parametrize(
    "line", lines("answers_kinds_good.jsonl"), ids=lambda line: line["idea"][:40]
)
def test_a_good_answer_that_looks_like_a_fault_is_taken(line: dict[str, Any]) -> None:
    assert fault_of(line) == ""


@pytest.mark.parametrize(
    "line",
    lines("answers_kinds_broken.jsonl"),
    ids=lambda line: f"{line['fault']}: {line['idea']}"[:60],
)
def test_each_kind_of_fault_is_found_in_every_language(line: dict[str, Any]) -> None:
    assert fault_of(line)


@pytest.mark.parametrize(
    ("idea", "text", "missing"),
    [
        ("老爷爷在公园里教孙女放风筝", "公园里，一位老爷爷扶着孙女的手放风筝。", ()),
        ("老爷爷在公园里教孙女放风筝", "公园里，一只狗追着球跑。", ("老爷爷", "教孙女放风筝")),
        ("おばあさんが縁側でスイカを切っている", "縁側で誰かがスイカを切る。", ("おばあさん",)),
        ("мальчик строит самолёт", "Мальчика с самолётом видно издали.", ("строит",)),
        ("Hühner hören zu", "Viele Hühner sitzen im Saal und hören dem Redner zu.", ()),
        ("en älg på vägen", "En stor älg står mitt på vägen i gryningen.", ()),
        ("un perro y dos gatos", "Los gatos miran al perro desde la tapia.", ()),
    ],
)
def test_an_idea_in_another_language_is_held_against_its_text_word_by_word(
    idea: str, text: str, missing: tuple[str, ...]
) -> None:
    assert uncovered(idea, text, ()) == missing


def test_what_the_evidence_shows_counts_and_what_it_only_claims_does_not() -> None:
    text = "A small boy sprints across a meadow, a kite overhead."
    honest = [
        {"said": "kid", "shown_as": "a small boy"},
        {"said": "running", "shown_as": "sprints"},
    ]
    assert uncovered("kid running with a kite", text, honest) == ()
    claimed = [{"said": "kid", "shown_as": "a tall man"}, {"said": "running", "shown_as": ""}]
    assert uncovered("kid running with a kite", text, claimed) == ("kid", "running")


def test_evidence_counts_only_if_it_is_of_this_idea_and_of_this_text() -> None:
    text = "A red tram rolls over a wet bridge in the evening, its bell ringing at the corner."
    foreign = [{"said": "a tram on a bridge", "shown_as": "A red tram"}]
    lost = [{"said": "old cat", "shown_as": "a ginger tabby"}]
    whole = [{"said": "an old cat asleep", "shown_as": text * 2}]
    idea = "an old cat asleep on a piano"
    for covers in (foreign, lost):
        assert shows_nothing(idea, text, uncovered(idea, text, covers), covers)
    assert {"cat", "asleep", "piano"} <= set(uncovered(idea, text * 2, whole))
    honest = [{"said": "old cat", "shown_as": "a grey tabby"}]
    asleep = "A grey tabby lies curled up on the closed lid of a grand piano, breathing slowly."
    assert not shows_nothing(idea, asleep, uncovered(idea, asleep, honest), honest)


def test_a_number_that_is_shown_as_another_is_missing() -> None:
    for shown, missing in (
        ("three astronauts", ()),
        ("seven astronauts", ("3",)),
        ("a crew", ()),
    ):
        text = f"On a red plain {shown} plant a flag. The astronauts wait."
        covers = [{"said": "3 astronauts", "shown_as": shown}]
        found = uncovered("3 astronauts", text, covers)
        assert tuple(word for word in found if word == "3") == missing, shown


SHORT = (
    "A red fox trots through deep snow. Behind it the wind lifts a veil of spindrift and graupel"
)
EVIDENCE = [{"said": "fox", "shown_as": "A red fox"}]


@pytest.mark.parametrize(
    ("finish_reason", "covers", "fault"),
    [
        ("stop", EVIDENCE, ""),
        ("stop", [{"said": "fox", "shown_as": "a grey wolf"}], "is cut off"),
        ("stop", [], "is cut off"),
        ("", EVIDENCE, "is cut off"),
    ],
)
def test_a_missing_full_stop_does_not_count_where_the_endpoint_and_the_evidence_say_otherwise(
    finish_reason: str, covers: list[dict[str, str]], fault: str
) -> None:
    answer = {"prompt": SHORT, "covers": covers}
    assert fault_of({"idea": "a fox", "answer": answer, "finish_reason": finish_reason}) == fault


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "gbk", "shift_jis", "cp949"])
@pytest.mark.parametrize(
    "text",
    [
        "一只发光的水母在深海中缓缓漂浮，触手像丝带一样随着洋流轻轻飘动，镜头慢慢推近。",
        "おじいさんが公園で鳩に餌をやり、夕方の光が木々の間から差し込んでいる。",
        "Старик кормит голубей в осеннем парке, и камера медленно приближается к нему.",
    ],
)
def test_a_text_read_in_the_wrong_encoding_is_found_and_a_right_one_is_not(
    text: str, encoding: str
) -> None:
    misread = plain_text(text.encode().decode(encoding, errors="replace"))
    assert is_garbled(misread, text)
    assert not is_garbled(text, text)


@pytest.mark.parametrize(
    "typed",
    [
        "fghj asdf qwer jkl; asdf uiop ghjk zxcv asdf lkjh poiu mnbv",
        "фыва олдж йцук енгш фыва пролд ячсм итьб фыва олдж йцук",
        "شسيب لاتن ضصثق فغعه شسيب لاتن مكطج ضصثق شسيب لاتن",
        "ㅁㄴㅇㄹ ㅂㅈㄷㄱ ㅁㄴㅇㄹ ㅋㅌㅊㅍ ㅁㄴㅇㄹ ㅂㅈㄷㄱ ㅁㄴㅇㄹ ㅂㅈㄷㄱ ㅁㄴㅇㄹ ㅂㅈㄷㄱ",
    ],
)
def test_random_typing_is_found_on_any_keyboard(typed: str) -> None:
    assert is_garbled(typed, "лиса в снегу")


@pytest.mark.parametrize(
    ("idea", "text", "is_empty"),
    [
        ("a cat and a mouse", "A ginger kitten crouches on a sill and stares at a hole.", False),
        ("a cat and a mouse", "A red tram rolls over a wet bridge, its bell ringing.", True),
        ("a person laughing at home", "A woman throws her head back in long laughter.", False),
        ("halloween food", "A table of Halloween-themed dishes glows by candlelight.", False),
        ("stary rybak naprawia sieć", "Rybak siedzi na brzegu, a w rękach trzyma sieć.", False),
        ("stary rybak naprawia sieć", "Tramwaj sunie przez mokry most nad rzeką nocą.", True),
    ],
)
def test_a_text_without_evidence_is_held_against_the_words_and_kinds_of_its_idea(
    idea: str, text: str, is_empty: bool
) -> None:
    assert shows_nothing(idea, text, uncovered(idea, text, ()), ()) is is_empty


@pytest.mark.parametrize(
    "opening", ["Here is your prompt: ", "Sure! Here's the enhanced prompt: ", "Prompt: ", '"']
)
def test_an_opening_is_taken_off_and_the_prompt_kept(opening: str) -> None:
    prompt = "A red fox trots through deep snow at dawn."
    given = f"{opening}{prompt}{opening if opening == chr(34) else ''}"
    assert without_preamble(given) == prompt

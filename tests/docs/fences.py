"""The fenced blocks of Markdown files that are examples, and what each claims. docs/hacking.md says what the words after
the fence mean; a word that is not known is an error, so that no example is passed over by a slip of the pen."""
import dataclasses
import re

FENCE = re.compile(r"^(?P<indent> {0,3})(?P<ticks>`{3,})(?P<info>[^`]*)$")
CODE = re.compile(r"^[A-Z]\d{4}$")


@dataclasses.dataclass
class Block:
    file: str
    line: int  # of the fence
    language: str
    words: list
    text: str


@dataclasses.dataclass
class Example:
    """One `lateen` block, with the blocks before it that it goes on from."""
    block: Block
    text: str
    run: bool  # with `lateen exec`; else `lateen check`
    code: str  # of the error that it must end in, or None
    output: str  # that it must print, or None


class Mistake(Exception):
    """Something is wrong with a fence."""


def blocks(file, text):
    """All fenced blocks, in order."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        opening = FENCE.match(lines[at])
        at += 1
        if not opening:
            continue
        start, body = at, []
        while at < len(lines) and not re.match(r"^ {0,3}" + opening["ticks"] + r"`*\s*$", lines[at]):
            body.append(lines[at].removeprefix(opening["indent"]))
            at += 1
        if at == len(lines):
            raise Mistake(f"{file}:{start}: the fence is never closed")
        at += 1
        words = opening["info"].split()
        yield Block(file, start, words[0] if words else "", words[1:], "\n".join(body) + "\n")


def _claims(block):
    """(run, more, code) of a `lateen` fence."""
    run = more = False
    code = None
    words = list(block.words)
    while words:
        word = words.pop(0)
        if word == "exec":
            run = True
        elif word == "more":
            more = True
        elif word == "error" and words and CODE.match(words[0]):
            code = words.pop(0)
        else:
            raise Mistake(f"{block.file}:{block.line}: `{word}` means nothing after a `lateen` fence")
    return run, more, code


def examples(file, text):
    """The examples of one file, files to write among them: (Example or Block with `file=`)."""
    before = ""
    found = list(blocks(file, text))
    for index, block in enumerate(found):
        if any(w.startswith("file=") for w in block.words):
            yield block
            continue
        if block.language != "lateen":
            continue
        run, more, code = _claims(block)
        whole = before + block.text if more else block.text
        follower = found[index + 1] if index + 1 < len(found) else None
        output = follower.text if follower and follower.language == "output" else None
        if output is not None and not run:
            raise Mistake(f"{file}:{follower.line}: `output` behind a block that is not run: it needs `lateen exec`")
        if code is None:
            before = whole
        yield Example(block, whole, run, code, output)

#!/usr/bin/env python3
"""What the runner of the documents' examples reads out of Markdown."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
import fences  # noqa: E402
import tap  # noqa: E402

TEXT = """Text.
```lateen
a = 1
```
```sh
not ours
```
  ```lateen exec more
  print a
  ```
```output
1
```
````lateen error L0204
```
````
```lateen more
b = a
```
```yaml file=x/y.yaml
name: x
```
"""

WRONG = [
    ("```lateen exce\na\n```\n", "m.md:1: `exce` means nothing after a `lateen` fence"),
    ("```lateen error\na\n```\n", "m.md:1: `error` means nothing after a `lateen` fence"),
    ("x\n```lateen\na\n", "m.md:2: the fence is never closed"),
    ("```lateen\na\n```\n```output\n1\n```\n", "m.md:4: `output` behind a block that is not run: it needs `lateen exec`"),
]


def main():
    found = list(fences.examples("m.md", TEXT))
    if not tap.is_(len(found), 5, "four examples and a file"):
        tap.done_testing()
    checked, run, wrong, more, file = found
    tap.is_((checked.text, checked.run, checked.code, checked.output), ("a = 1\n", False, None, None), "a program")
    tap.is_((run.text, run.run, run.output), ("a = 1\nprint a\n", True, "1\n"), "one that goes on, and what it prints")
    tap.is_((wrong.text, wrong.code, wrong.block.line), ("```\n", "L0204", 15 - 1), "one that is wrong, in a longer fence")
    tap.is_(more.text, "a = 1\nprint a\nb = a\n", "going on leaves out what was wrong")
    tap.is_((file.language, file.words, file.text), ("yaml", ["file=x/y.yaml"], "name: x\n"), "a file")
    for text, want in WRONG:
        try:
            list(fences.examples("m.md", text))
            tap.fail(want, "no mistake was found")
        except fences.Mistake as mistake:
            tap.is_(str(mistake), want, "a mistake is said")
    tap.done_testing()


main()

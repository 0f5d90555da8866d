"""Finds answers in completions and judges them, as the program that wrote this folder does.

Where the program `distill` is at hand (on PATH, or named by the variable DISTILL), it judges: every verdict is then the very one that
the recipe would have got. Without it the verifiers integer, choice, exact and regex are worked out here, and math by the package
math-verify, which knows other spellings; `python answers.py --check` says how many verdicts of the sample beside it differ.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
LONGEST = 10_000
WRAPPERS = [("**", "**"), ("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("```", "```"), ("`", "`")]
BOX = re.compile(r"\\boxed[ \t]*\{")
COMMANDS = r"\\(?:text(?:bf|it|rm|tt|sf|sc|normal)?|math(?:rm|bf|it|sf|tt)|operatorname|mbox|hbox|emph|underline|bf|rm|it)\s*\{([^{}]*)\}"
OPENINGS = r"(?:(?:answer|so|thus|hence|therefore|then|approximately|about|is|the|final|we|get)[,:]? +)*"


def rows(name):
    with open(HERE / name, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def clean(text):
    before = None
    while before != text:
        before = text
        text = text.strip()
        while text and text[-1] in ".,;" and not text.endswith(("\\right.", "\\left.", "\\,", "\\;")):
            text = text[:-1].rstrip()
        for begin, end in WRAPPERS:
            inside = text[len(begin):-len(end)]
            if len(text) >= len(begin) + len(end) and text.startswith(begin) and text.endswith(end) \
                    and begin not in inside and end not in inside:
                text = inside
    return text or None


def last_box(text):
    """What the last balanced \\boxed{...} that is not empty holds, boxes inside of it opened; None where there is none."""
    found, braces, at = None, [], 0
    while at < len(text):
        box = BOX.match(text, at)
        if box:
            at = box.end()
            braces.append(at)
            continue
        if text[at] == "{":
            braces.append(-1)
        elif text[at] == "}" and braces:
            start = braces.pop()
            if start >= 0 and text[start:at].strip():
                found = text[start:at]
        at += 2 if text[at] == "\\" else 1
    return None if found is None else opened(found)


def opened(content):
    kept, boxes, at = [], [], 0
    while at < len(content):
        box = BOX.match(content, at)
        if box:
            boxes.append(True)
            at = box.end()
            continue
        if content[at] == "{":
            boxes.append(False)
        if content[at] == "}" and boxes and boxes.pop():
            at += 1
            continue
        size = 2 if content[at] == "\\" else 1
        kept.append(content[at:at + size])
        at += size
    return "".join(kept)


def marked(body):
    box = last_box(body)
    if box is not None:
        return clean(box)
    if "####" in body:
        found = clean(re.split(r"[\r\n]", body.rsplit("####", 1)[1])[0])
        if found:
            return found
    phrases = list(re.finditer(r"answer(?: is:?|:)", body, re.IGNORECASE))
    if not phrases:
        return None
    start = phrases[-1].end()
    start += 2 if body[start:].startswith("**") else 0
    line = re.split(r"[\r\n]", body[start:])[0]
    line = re.split(r"(?<!\\left)(?<!\\right)\.(?=\s|$)", line)[0]
    if line.lstrip(" \t$([\\*").startswith("boxed"):
        return None
    bare = line.rstrip(" \t.,;")
    return clean(bare if bare.endswith("**") and "**" not in bare[:-2] else line)


def answer_of(text):
    """The marked answer of what follows the thinking, or all of it where it marks none; None where there is no answer."""
    if text is None or text.rfind("<think>") > text.rfind("</think>"):
        return None
    body = text.rsplit("</think>", 1)[-1]
    found = marked(body)
    if found is None:
        found = None if "\\boxed" in body or len(body.strip()) > LONGEST else clean(body.strip())
    return found if found is None or len(found) <= LONGEST else None


def folded(text):
    plain = re.sub(r"\\(?:[,;:! ]|quad|qquad)|~", " ", re.sub(COMMANDS, r"\1", text)) if "\\" in text else text
    return re.sub(r"\s+", " ", plain).strip().lower()


def integer(text):
    text = re.sub(COMMANDS, r"\1", text)
    text = text[1:-1] if text[:1] == "(" and text[-1:] == ")" else text
    number = re.fullmatch(
        OPENINGS + r"(?:[A-Za-z]\w*\s*=\s*)?\\?[$€£]?\s*([-+−]?)\s*(\d{1,3}(?:(?:,|\{,\}| |\\,)\d{3})+|\d+)(?:\.0*)?"
        r"(?:\s*(?:\^\{?\\circ\}?|°|(?:\\,)?\s*[A-Za-z][A-Za-z /.^\d]*))?", text)
    return None if not number else int(re.sub(r"\D", "", number[2])) * (-1 if number[1] in ("-", "−") else 1)


def option(text, choices):
    text = folded(text)
    bare = re.sub(r"^(?:(?:option|choice|answer:?) )+", "", text)
    letter = re.fullmatch(r"\(*([a-z])[). :]*", bare)
    letter = ord(letter[1]) - ord("a") if letter and len(bare) <= 5 else None
    if letter is not None and (not choices or letter < len(choices)):
        return letter
    same = [number for number, choice in enumerate(choices[:26]) if folded(clean(choice) or "") == text]
    if len(same) == 1:
        return same[0]
    both = re.match(r"\(?([a-z])[).:][. :]*(.+)", bare)
    if both and ord(both[1]) - ord("a") < len(choices):
        number = ord(both[1]) - ord("a")
        return number if folded(clean(choices[number]) or "") == (clean(both[2]) or "") else letter
    return letter


def mathematics(found, reference):
    from math_verify import parse, verify  # said by the check where it is missing

    given = parse("\\boxed{" + found + "}")
    return "undecidable" if not given else "correct" if verify(parse("\\boxed{" + reference + "}"), given) else "incorrect"


def judge_here(problem, text):
    """The verdict as worked out in this file."""
    found, name, reference = answer_of(text), problem["verifier"], problem["reference_answer"]
    if found is None:
        return "undecidable"
    if name == "math":
        return mathematics(found, reference)
    if name == "regex":
        return "correct" if re.fullmatch(reference, found) else "incorrect"
    read = {
        "integer": integer, "exact": lambda answer: folded(answer) or None,
        "choice": lambda answer: option(answer, problem.get("choices", [])),
    }.get(name)
    if read is None:
        raise SystemExit(f"The verifier '{name}' is known to the program distill alone: put it on PATH, or name it by DISTILL.")
    given, wanted = read(found), read(answer_of(reference) or reference)
    return "undecidable" if given is None or wanted is None else "correct" if given == wanted else "incorrect"


class Judge:
    """Verdicts on the problems of a file. Thread-safe; the program runs beside this one as long as it does."""

    def __init__(self, file="problems.jsonl"):
        self.problems = {problem["problem_id"]: problem for problem in rows(file)}
        self.turn = threading.Lock()
        program = os.environ.get("DISTILL") or shutil.which("distill")
        self.program = None if not program else subprocess.Popen(
            [*program.split(), "grade", str(HERE / file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def verdict(self, problem_id, text):
        if self.program is None:
            return judge_here(self.problems[problem_id], text)
        with self.turn:
            self.program.stdin.write(json.dumps({"problem_id": problem_id, "answer": text}) + "\n")
            self.program.stdin.flush()
            line = self.program.stdout.readline()
        if not line:
            raise SystemExit(f"The program distill ended with {self.program.wait()}; what it said stands above.")
        return json.loads(line)["verdict"]

    def check(self):
        """How many verdicts of the sample are others here, and of how many."""
        sample = rows("reward-sample.jsonl")
        wrong = [row for row in sample if self.verdict(row["problem_id"], row["answer"]) != row["verdict"]]
        for row in wrong[:5]:
            print(f"differs: {row['problem_id']}: {row['answer']!r} is {row['verdict']}", file=sys.stderr)
        return len(wrong), len(sample)

    def require(self):
        """Ends the program where verdicts differ, unless ACCEPT_DIFFERENCES=1 says that this is known."""
        wrong, count = self.check()
        how = "by the program distill" if self.program else "by this folder's own rules"
        print(f"Rewards are judged {how}: {count - wrong} of {count} verdicts of the sample agree.", file=sys.stderr)
        if wrong and os.environ.get("ACCEPT_DIFFERENCES") != "1":
            raise SystemExit("They differ. Put the program distill on PATH, or set ACCEPT_DIFFERENCES=1 to train with other verdicts.")


class Rewards:
    """What a completion earns: the verdict and the parts that the recipe names, each weighted. None: nothing is learned from it."""

    def __init__(self, options, judge, tokenizer=None):
        self.options, self.judge, self.tokenizer = options, judge, tokenizer
        added = {} if tokenizer is None else tokenizer.get_added_vocab()
        self.marks = [added.get("<think>", -1), added.get("</think>", -1)]

    def of(self, problem_id, ids):
        """What the tokens of a completion earn, the one that ended it included."""
        ended = bool(ids) and ids[-1] in self.options["end_tokens"]
        said = ids[:-1] if ended else ids
        begin, end = (max((at for at, one in enumerate(said) if one == mark), default=-1) for mark in self.marks)
        answer = None
        if ended and begin <= end:
            words = [one for one in said[end + 1:] if one not in self.marks]
            answer = self.tokenizer.decode(words, skip_special_tokens=True).strip() or None
        size = self.options["repetition_length"]
        runs = [tuple(ids[at:at + size]) for at in range(len(ids) - size + 1)]
        repeated = len(set(runs)) / len(runs) - 1 if runs else 0.0
        return self.earned(problem_id, answer, self.tokenizer.decode(ids, skip_special_tokens=False), len(ids), repeated)

    def of_text(self, problem_id, text, truncated, length):
        """The same where only the text is known; repetition counts nothing."""
        answer = None if truncated or text.rfind("<think>") > text.rfind("</think>") else text.rsplit("</think>", 1)[-1].strip()
        return self.earned(problem_id, answer or None, text, length, 0.0)

    def earned(self, problem_id, answer, text, length, repeated):
        options = self.options
        verdict = self.judge.verdict(problem_id, answer)
        if verdict == "undecidable" and options["skip_undecidable"]:
            return None
        shaped = text.startswith("<think>") and text.rfind("<think>") == 0 and "</think>" in text
        left = (options["max_tokens"] - options["length_margin"] - length) / options["length_margin"]
        return (options["verdict"] * (verdict == "correct") + options["format"] * shaped
                + options["length"] * (-1.0 if length >= options["max_tokens"] else min(0.0, left)) + options["repetition"] * repeated)


if __name__ == "__main__":
    if sys.argv[1:] != ["--check"]:
        raise SystemExit("usage: python answers.py --check")
    differing, of = Judge().check()
    print(f"{of - differing} of {of} verdicts agree")
    raise SystemExit(1 if differing else 0)

"""The recipe's training problems and rewards as a taskset of verifiers, which prime-rl trains on."""

import json
from functools import cache

import verifiers.v1 as vf

from distill_handover.answers import HERE, Judge, Rewards, rows


@cache
def rewards():
    judge = Judge()
    judge.require()
    return Rewards(json.loads((HERE / "options.json").read_text(encoding="utf-8"))["rewards"], judge)


class HandedData(vf.TaskData):
    problem_id: str


class HandedTask(vf.Task[HandedData]):
    @vf.stop
    async def single_turn(self, trace: vf.Trace) -> bool:
        return trace.num_turns >= 1

    @vf.reward(weight=1.0)
    async def earned(self, trace: vf.Trace) -> float:
        reply = trace.assistant_messages[-1]
        thought = f"<think>{reply.reasoning_content}</think>" if reply.reasoning_content else ""
        earned = rewards().of_text(self.data.problem_id, thought + (reply.content or ""), trace.is_truncated, trace.num_output_tokens)
        return 0.0 if earned is None else float(earned)


class HandedTaskset(vf.Taskset[HandedTask, vf.TasksetConfig]):
    def load(self) -> list[HandedTask]:
        return [
            HandedTask(HandedData(idx=number, prompt=row["prompt"], problem_id=row["problem_id"]), self.config.task)
            for number, row in enumerate(rows("prompts.jsonl"))
        ]

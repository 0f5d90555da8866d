"""Reinforcement with TRL on the recipe's training problems and rewards."""

import os

from answers import Judge, Rewards
from datasets import load_dataset
from trl import GRPOConfig, GRPOTrainer

from handed import HERE, OPTIONS, adapters, config, keep, start

CHECKED = 64

model, tokenizer = start()
data = load_dataset("json", data_files=str(HERE / "data" / "train.jsonl"), split="train")
for row in data.select(range(min(CHECKED, len(data)))):
    ids = tokenizer.apply_chat_template(
        row["prompt"], add_generation_prompt=True, tokenize=True, return_dict=True, **OPTIONS["config"].get("chat_template_kwargs", {}))
    if ids["input_ids"] != row["prompt_ids"]:
        raise SystemExit(f"The prompt of {row['problem_id']} has other tokens than in the recipe: the chat template is read differently.")
judge = Judge()
if os.environ.get("RANK", "0") == "0":
    judge.require()
rewards = Rewards(OPTIONS["rewards"], judge, tokenizer)


def reward(completion_ids, problem_id, **_):
    return [rewards.of(problem, list(ids)) for problem, ids in zip(problem_id, completion_ids, strict=True)]


trainer = GRPOTrainer(
    model=model, reward_funcs=reward, args=config(GRPOConfig), processing_class=tokenizer, peft_config=adapters(),
    train_dataset=data.remove_columns(["prompt_ids"]))
trainer.train()
keep(trainer, tokenizer)

"""Supervised fine-tuning with TRL on the very tokens that the recipe trains on; only completions are learned."""

from datasets import load_dataset
from transformers import EarlyStoppingCallback
from trl import SFTConfig, SFTTrainer

from handed import HERE, OPTIONS, adapters, config, keep, start

model, tokenizer = start()
files = {name: str(HERE / "data" / f"{name}.jsonl") for name in OPTIONS["data"]}
data = load_dataset("json", data_files=files).select_columns(["input_ids", "completion_mask"])
trainer = SFTTrainer(
    model=model, args=config(SFTConfig), processing_class=tokenizer, peft_config=adapters(),
    train_dataset=data["train"], eval_dataset=data.get("held_out"),
    callbacks=[EarlyStoppingCallback(OPTIONS["patience"])] if OPTIONS["patience"] else None)
trainer.train()
keep(trainer, tokenizer)

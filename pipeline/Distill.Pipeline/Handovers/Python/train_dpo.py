"""Preference tuning with TRL on the pairs that the recipe compares, token by token as they were sampled."""

from datasets import load_dataset
from trl import DPOConfig, DPOTrainer

from handed import HERE, adapters, config, keep, start


class PairTrainer(DPOTrainer):
    """The pairs hold tokens already; to encode their texts again could give others."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset


model, tokenizer = start()
data = load_dataset("json", data_files=str(HERE / "data" / "train.jsonl"), split="train")
trainer = PairTrainer(
    model=model, args=config(DPOConfig), processing_class=tokenizer, peft_config=adapters(),
    train_dataset=data.select_columns(["prompt_ids", "chosen_ids", "rejected_ids"]))
trainer.train()
keep(trainer, tokenizer)

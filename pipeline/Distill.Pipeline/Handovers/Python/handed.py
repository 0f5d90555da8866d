"""What the training scripts of this folder share: their options, the division of a batch, and how the result is kept."""

import json
import os
from importlib.metadata import version
from pathlib import Path

from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).resolve().parent
OPTIONS = json.loads((HERE / "options.json").read_text(encoding="utf-8"))


def start():
    """The checkpoint that training begins with, and its tokenizer."""
    if version("trl") != OPTIONS["trl"]:
        print(f"The options were written for trl {OPTIONS['trl']}, and this is {version('trl')}: look at its release notes.")
    folder = str(HERE / "checkpoint")
    return AutoModelForCausalLM.from_pretrained(folder, dtype="float32"), AutoTokenizer.from_pretrained(folder)


def config(kind):
    """Options as the trainer takes them; the batch of a step divided among the processes there are."""
    batch, micro = OPTIONS["batch"], int(os.environ.get("MICRO_BATCH", "1"))
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if batch % (micro * processes):
        raise SystemExit(
            f"A step's batch of {batch} cannot be divided among {processes} processes by {micro}: take another number of processes, "
            "or set MICRO_BATCH.")
    return kind(
        output_dir=os.environ.get("OUTPUT", str(HERE / "trained")), per_device_train_batch_size=micro,
        gradient_accumulation_steps=batch // (micro * processes), **OPTIONS["config"])


def adapters():
    """Low-rank adapters, where the recipe has them."""
    if OPTIONS["lora"] is None:
        return None
    from peft import LoraConfig

    return LoraConfig(**OPTIONS["lora"])


def keep(trainer, tokenizer):
    """Saves what `distill export` takes back: whole weights, adapters merged."""
    folder = os.path.join(trainer.args.output_dir, "final")
    trainer.save_model(folder)
    if OPTIONS["lora"] is not None and trainer.accelerator.is_main_process:
        from peft import AutoPeftModelForCausalLM

        AutoPeftModelForCausalLM.from_pretrained(folder).merge_and_unload().save_pretrained(folder)
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            os.remove(os.path.join(folder, name))
    if trainer.accelerator.is_main_process:
        tokenizer.save_pretrained(folder)
        print(f"Take it back with: distill export {folder} --handover {HERE}")

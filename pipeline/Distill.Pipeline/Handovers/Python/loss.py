"""The clipped surrogate of the recipe as a loss of prime-rl, which divides the sum by the tokens of the whole step."""

import torch


def clipped(inputs, clip_low, clip_high, ratio_cap=None):
    from prime_rl.trainer.rl.loss import LossOutputs

    ratio = torch.exp(inputs.trainer_logprobs - inputs.inference_logprobs)
    free = ratio if ratio_cap is None else ratio.clamp(max=ratio_cap)
    token = -torch.minimum(free * inputs.advantages, ratio.clamp(1 - clip_low, 1 + clip_high) * inputs.advantages)
    if inputs.loss_weights is not None:
        token = token * inputs.loss_weights
    kept = token[inputs.loss_mask]
    outside = ((ratio < 1 - clip_low) | (ratio > 1 + clip_high))[inputs.loss_mask]
    return LossOutputs(loss=kept.sum(), metrics={"clipped": outside.float().mean() if len(kept) else token.sum() * 0})

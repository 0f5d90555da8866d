using Distill.Student.Supervised;

namespace Distill.Pipeline.Recipes;

/// <summary>What a look at held-out data measures.</summary>
public enum HeldOutMeasureKind
{
    /// <summary>Cross-entropy of traces that are not trained on: cheap.</summary>
    Loss,

    /// <summary>Sampled accuracy on validation problems, as reinforcement measures it: exports the model and generates.</summary>
    Accuracy,
}

/// <summary><c>sft.held_out</c>: looks at held-out data during fine-tuning; the weights that did best there are the result.</summary>
public sealed record HeldOutSection
{
    /// <summary>Optimiser steps between two looks; the last step is always looked at. 1..1,000,000, default 20.</summary>
    public int Every { get; init; }

    /// <summary>loss or accuracy. Default loss.</summary>
    public HeldOutMeasureKind Measure { get; init; }

    /// <summary>Of loss: share of the training problems whose traces are held out. (0, 0.5], default 0.05; null for accuracy.</summary>
    public double? Share { get; init; }

    /// <summary>Of accuracy: validation problems asked, 4 completions each. 1..1,000,000, default 64; null for loss.</summary>
    public int? Problems { get; init; }

    /// <summary>Of accuracy: longest completion in tokens. 1..1,000,000, default 192; null for loss.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Looks without a better value after which the training ends. 0..10,000, default 0: never.</summary>
    public int Patience { get; init; }

    /// <summary>Checkpoints kept of the last looks, beside the best one. 0..1,000, default 0.</summary>
    public int Keep { get; init; }

    /// <returns>Null when the recipe has no such section: nothing is held out.</returns>
    internal static HeldOutSection? Bind(SectionReader reader)
    {
        if (!reader.IsPresent) return null;
        var measure = reader.Choice("measure", HeldOutMeasureKind.Loss);
        bool loss = measure == HeldOutMeasureKind.Loss;
        var section = new HeldOutSection
        {
            Every = reader.Integer("every", 20, 1, 1_000_000),
            Measure = measure,
            Share = loss ? reader.Number("share", 0.05, 0, 0.5, above: true) : null,
            Problems = loss ? null : reader.Integer("problems", 64, 1, 1_000_000),
            MaxTokens = loss ? null : reader.Integer("max_tokens", 192, 1, 1_000_000),
            Patience = reader.Integer("patience", 0, 0, 10_000),
            Keep = reader.Integer("keep", 0, 0, 1000),
        };
        reader.Close();
        return section;
    }

    internal HeldOutOptions ToOptions() => new(Every, Patience);
}

using Distill.Data.Publishing.Licences;
using Distill.Export.Parity;
using Distill.Tokenization;

namespace Distill.Export.Package;

/// <summary>What a model folder says about itself beyond what follows from its weights. Immutable.</summary>
public sealed record PackageDescription
{
    /// <summary>Title of the model card.</summary>
    public required string Name { get; init; }

    /// <summary>One or two sentences for the model card.</summary>
    public string Summary { get; init; } = "A small decoder that reasons between `<think>` and `</think>` and answers after it.";

    /// <summary>What the model was distilled from, if anything.</summary>
    public string? Teacher { get; init; }

    /// <summary>What the weights were before: <c>owner/name</c> on the Hub, or words. Null where nothing is known of it.</summary>
    public string? BaseModel { get; init; }

    /// <summary>The adapter that was merged into it, as <see cref="BaseModel"/>; null for none.</summary>
    public string? Adapter { get; init; }

    /// <summary>SPDX identifier.</summary>
    public string License { get; init; } = "mit";

    /// <summary>What went into it, with its licences, for the card.</summary>
    internal IReadOnlyList<LicensedPart> Licensed { get; init; } = [];

    /// <summary>What stands against publishing it; the card says so, and so it is not pushed.</summary>
    internal IReadOnlyList<LicenceConflict> Conflicts { get; init; } = [];

    /// <summary>
    /// How the model was spoken to in training. Recorded in distill.json, so that whoever opens the folder can speak to it the same way,
    /// and shown on the card with one prompt as the model read it. Default: chats as they are.
    /// </summary>
    public PromptStyle Prompt { get; init; } = PromptStyle.Plain;

    internal bool IsPlain => Prompt.IsPlain;

    /// <summary>Digests of what the model was made from, by role: recipe, traces, checkpoint, …</summary>
    public IReadOnlyDictionary<string, string> Digests { get; init; } = new Dictionary<string, string>();

    /// <summary>Results worth showing, by label, in the order given.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Results { get; init; } = [];

    /// <summary>Results that model hubs list beside those of other models.</summary>
    internal IReadOnlyList<PublishedResult> Published { get; init; } = [];

    /// <summary>Size, quality and speed of the model's forms; none where they were not measured.</summary>
    internal IReadOnlyList<Quantization.FormFigures> Forms { get; init; } = [];

    /// <summary>Null until the gate has run.</summary>
    public ParityReport? Parity { get; init; }
}

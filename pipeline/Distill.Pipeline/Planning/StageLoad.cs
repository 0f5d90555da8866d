using Distill.Teacher.Remote.Calls;

namespace Distill.Pipeline.Planning;

/// <summary>Kinds of work. What was measured of one tells how long another of its kind takes.</summary>
internal enum WorkKind
{
    /// <summary>Rows are read and written; counted in rows.</summary>
    Rows,

    /// <summary>A model of ours completes prompts; counted in tokens of the completions.</summary>
    Completions,

    /// <summary>An endpoint completes prompts; counted likewise.</summary>
    Requests,

    /// <summary>A student learns from given texts; counted in tokens that it reads.</summary>
    Training,

    /// <summary>A student completes prompts and learns from that; counted in tokens of the completions.</summary>
    Rollouts,

    /// <summary>Weights are written in another form; counted in parameters.</summary>
    Export,

    /// <summary>Two forms of a model read and complete the same prompts; counted in prompts.</summary>
    Parity,
}

/// <summary>How much a stage has to do by its recipe, as far as that is known before it begins.</summary>
/// <param name="Rows">Completions, examples, problems or prompts, at most.</param>
internal sealed record StageLoad(WorkKind Kind, long Rows)
{
    /// <summary>
    /// The recipe's model that does the work or that the working student is made from, as <see cref="Graph.ExternalInputs"/> names it; null
    /// where none works.
    /// </summary>
    public string? Model { get; init; }

    /// <summary>Of the model that works, where the recipe brings none but says how large it is; 0 elsewhere.</summary>
    public long Parameters { get; init; }

    /// <summary>What else of the recipe decides the speed, e.g. <c>64 slots</c>.</summary>
    public string Setting { get; init; } = "";

    /// <summary>Longest completion, in tokens; 0 where nothing is completed.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Most tokens of all completions together; null: rows × <see cref="MaxTokens"/>.</summary>
    public long? Budget { get; init; }

    /// <summary>Tokens of a row where a sample of this very work was looked at; null elsewhere.</summary>
    public double? SampledTokens { get; init; }

    /// <summary>Tokens of a row that can be supposed where nothing like it was measured; null: half of <see cref="MaxTokens"/>.</summary>
    public double? LikelyTokens { get; init; }

    /// <summary>Tokens of a row's prompt that can be supposed; null where nobody knows.</summary>
    public double? LikelyPrompt { get; init; }

    /// <summary>Rows that can be expected by such a sample; null: all.</summary>
    public double? SampledRows { get; init; }

    /// <summary>Steps of a training; null where they follow from the data or there are none.</summary>
    public int? Steps { get; init; }

    /// <summary>Bytes that are written for each parameter of the model; null where what is written grows with the rows.</summary>
    public double? BytesPerParameter { get; init; }

    /// <summary>Bytes for each parameter that lie on the disk while the stage works, and no longer.</summary>
    public double StateBytesPerParameter { get; init; }

    /// <summary>What tokens cost; null where they cost nothing.</summary>
    public TokenPrices? Prices { get; init; }
}

/// <summary>What a stage did, told by itself when it ends.</summary>
/// <param name="Rows">Of the whole result, what an earlier process did included; so are the tokens and steps.</param>
/// <param name="PromptTokens">0 where they were not counted.</param>
/// <param name="Tokens">Of completions; of all that was read where a student learned from given texts.</param>
/// <param name="Units">What this process did, in the unit of the kind; 0 where everything was there already.</param>
internal sealed record WorkDone(long Rows, long PromptTokens = 0, long Tokens = 0, int Steps = 0, double Units = 0);

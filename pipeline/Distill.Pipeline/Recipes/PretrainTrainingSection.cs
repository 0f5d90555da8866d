namespace Distill.Pipeline.Recipes;

/// <summary><c>training</c> of a pretraining recipe.</summary>
public sealed record PretrainTrainingSection
{
    /// <summary>Tokens seen in all: the same on every machine. 1,000..1e12; null when <see cref="Minutes"/> ends the training.</summary>
    public long? Tokens { get; init; }

    /// <summary>Minutes of training, instead of <see cref="Tokens"/>; the result then depends on the machine's speed. (0, 100,000].</summary>
    public double? Minutes { get; init; }

    /// <summary>Tokens of one optimiser step. 16..16,777,216, default 8,192.</summary>
    public int BatchTokens { get; init; }

    /// <summary>Length of a packed row. 16..architecture.max_positions, default 256.</summary>
    public int SequenceLength { get; init; }

    /// <summary>Peak learning rate of AdamW. (0, 1], default 0.003.</summary>
    public double LearningRate { get; init; }

    /// <summary>Share of the steps over which the rate rises from zero. 0..0.9, default 0.02.</summary>
    public double Warmup { get; init; }

    /// <summary>constant, linear, cosine or trapezoid. Default trapezoid.</summary>
    public ScheduleKind Schedule { get; init; }

    /// <summary>Decoupled weight decay of the matrices. 0..10, default 0.1.</summary>
    public double WeightDecay { get; init; }

    /// <summary>fp32 or mixed. Default mixed.</summary>
    public TrainingPrecision Precision { get; init; }

    internal static PretrainTrainingSection Bind(SectionReader reader, ArchitectureSection architecture)
    {
        bool tokens = reader.Has("tokens"), minutes = reader.Has("minutes");
        var section = new PretrainTrainingSection
        {
            Tokens = tokens ? reader.Long("tokens", null, 1000, 1_000_000_000_000) : null,
            Minutes = minutes ? reader.Number("minutes", null, 0, 100_000, above: true) : null,
            BatchTokens = reader.Integer("batch_tokens", 8192, 16, 1 << 24),
            SequenceLength = reader.Integer("sequence_length", 256, 16, 1 << 20),
            LearningRate = reader.Number("learning_rate", 3e-3, 0, 1, above: true),
            Warmup = reader.Number("warmup", 0.02, 0, 0.9),
            Schedule = reader.Choice("schedule", ScheduleKind.Trapezoid),
            WeightDecay = reader.Number("weight_decay", 0.1, 0, 10),
            Precision = reader.Choice("precision", TrainingPrecision.Mixed),
        };
        reader.Require(tokens != minutes, "tokens", tokens ? "given beside minutes" : "neither tokens nor minutes is given", "give one of the two");
        reader.Require(
            section.SequenceLength <= architecture.MaxPositions, "sequence_length",
            $"longer than architecture.max_positions {architecture.MaxPositions:N0}", "lower it or raise max_positions");
        reader.Require(
            section.BatchTokens >= section.SequenceLength, "batch_tokens",
            $"smaller than one row of {section.SequenceLength:N0} tokens", "raise batch_tokens or lower sequence_length");
        reader.Close();
        return section;
    }
}

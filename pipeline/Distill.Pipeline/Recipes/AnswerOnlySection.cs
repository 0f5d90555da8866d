namespace Distill.Pipeline.Recipes;

/// <summary><c>answer_only</c>: a second student trained on the same problems without their steps, to show what the steps are worth.</summary>
public sealed record AnswerOnlySection
{
    /// <summary>Default true.</summary>
    public bool Enabled { get; init; }

    /// <summary>The keys of <c>sft</c>; each one left out is taken from there.</summary>
    public required TrainingSection Training { get; init; }

    internal static AnswerOnlySection Bind(SectionReader reader, TrainingSection sft)
    {
        var section = new AnswerOnlySection { Enabled = reader.Flag("enabled", true), Training = TrainingSection.Read(reader, sft) };
        reader.Close();
        return section;
    }
}

using Distill.Data.Problems;

namespace Distill.Data.Traces;

/// <summary>Splits as Hugging Face datasets spell them.</summary>
internal static class SplitName
{
    public static string Of(Split split) => split switch
    {
        Split.Train => "train",
        Split.Validation => "validation",
        Split.Test => "test",
        _ => throw new ArgumentOutOfRangeException(nameof(split), split, null),
    };

    public static Split Parse(string name) => name switch
    {
        "train" => Split.Train,
        "validation" => Split.Validation,
        "test" => Split.Test,
        _ => throw new InvalidDataException($"the split '{name}' is none of train, validation, test"),
    };
}

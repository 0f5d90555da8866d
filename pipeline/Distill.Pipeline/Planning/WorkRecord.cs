using System.Text.Json.Serialization;

namespace Distill.Pipeline.Planning;

/// <summary>One stage of one run as it was measured: how much it did, how long that took, how large the result is.</summary>
/// <param name="Recipe">Its name: how much is kept of traces, and how long they are, is a matter of the recipe.</param>
/// <param name="Model">Digest of the model; empty where none works.</param>
/// <param name="Parameters">Of that model; 0 where unknown.</param>
/// <param name="Device">As keys of stages spell it; <c>cpu</c> where they say nothing.</param>
/// <param name="Planned">Rows of the recipe, at most.</param>
/// <param name="Rows">Rows that it came to.</param>
/// <param name="Made">Rows that it left, e.g. traces that were kept.</param>
/// <param name="Units">Done by the process that was measured, in the unit of the kind.</param>
/// <param name="Seconds">By a clock that only goes forward.</param>
internal sealed record WorkRecord(
    string Stage, string Recipe, WorkKind Kind, string Model, long Parameters, string Device, string Setting, long Planned, long Rows,
    long Made, long PromptTokens, long Tokens, int Steps, long Bytes, double Units, double Seconds)
{
    /// <summary>Whether a speed can be told from it: what was too short to be timed, or found finished, has none.</summary>
    [JsonIgnore]
    public bool HasSpeed => Units > 0 && Seconds >= 1e-3;

    [JsonIgnore]
    public double TokensPerRow => Rows > 0 ? (double)Tokens / Rows : 0;

    /// <summary>Whether every number is one that a measurement can give.</summary>
    [JsonIgnore]
    public bool IsSound => Stage is not null && Recipe is not null && Model is not null && Device is not null && Setting is not null
        && Parameters >= 0 && Planned >= 0 && Rows >= 0 && Made >= 0 && PromptTokens >= 0 && Tokens >= 0 && Steps >= 0 && Bytes >= 0
        && double.IsFinite(Units) && Units >= 0 && double.IsFinite(Seconds) && Seconds >= 0;
}

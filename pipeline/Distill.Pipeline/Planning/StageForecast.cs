namespace Distill.Pipeline.Planning;

/// <summary>What the seconds of a prediction rest on.</summary>
internal enum ForecastBasis
{
    /// <summary>This stage was measured on this machine, with this model and these settings.</summary>
    Measured,

    /// <summary>Like work was measured on this machine: another stage, model or setting.</summary>
    Similar,

    /// <summary>Nothing like it was: a first estimate from the size of the model and the speed of the processor.</summary>
    Estimated,
}

/// <summary>What a stage will come to.</summary>
/// <param name="Rows">Expected.</param>
/// <param name="Made">Rows that it leaves for the stages after it.</param>
/// <param name="PromptTokens">Expected; null where it is not known.</param>
/// <param name="Tokens">Completions, or what a student reads, expected; null where there are none.</param>
/// <param name="MostTokens">Completions at most; null where nothing is completed.</param>
/// <param name="Bytes">That stay on the disk.</param>
/// <param name="AreBytesKnown">From like results or from the number of parameters; else they are a first estimate.</param>
/// <param name="StateBytes">That lie there while it works, besides.</param>
/// <param name="Cost">Null where tokens cost nothing.</param>
internal sealed record StageForecast(
    long Rows, long Made, long? PromptTokens, long? Tokens, long? MostTokens, int? Steps, double Seconds, ForecastBasis Basis, long Bytes,
    bool AreBytesKnown, long StateBytes, double? Cost);

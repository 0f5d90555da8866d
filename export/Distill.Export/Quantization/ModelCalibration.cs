using Distill.Architecture;

namespace Distill.Export.Quantization;

/// <summary>What a calibration was asked for. Immutable.</summary>
internal sealed record CalibrationRequest
{
    /// <summary>int8 or int4.</summary>
    public required ExportPrecision Precision { get; init; }

    /// <summary>Token ids of each text, at most as long as the model reads.</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Texts { get; init; }

    /// <summary>Weights that share a scale, in the projections of 4 bits. Default 32.</summary>
    public int Block { get; init; } = 32;

    /// <summary>Most bytes of graph and data; what is left over gives 8 bits to some matrices. Null: none get them in int4.</summary>
    public long? MaxBytes { get; init; }

    public int Threads { get; init; } = 2;
}

/// <summary>Codes and scales, and what was decided on the way.</summary>
/// <param name="Widened">Operators whose matrices got 8 bits in an int4 export.</param>
/// <param name="Operators">Operators that read projections.</param>
/// <param name="Texts">That codes were chosen over.</param>
/// <param name="Tokens">Of them.</param>
internal sealed record CalibrationResult(
    ModelQuantization Quantization, BitPlan Plan, int Widened, int Operators, int Texts, long Tokens);

/// <summary>
/// From texts to codes and scales of a whole decoder: which matrices get 8 bits, by what rounding them alone costs the model on some of
/// the texts; then GPTQ layer by layer; the tables to nearest. One thread of the caller's.
/// </summary>
internal sealed class ModelCalibration(WeightSet weights, CalibrationRequest request)
{
    // Enough to rank matrices by; each costs a pass forward and back.
    private const int RankingTokens = 2048;

    private readonly DecoderArchitecture architecture = weights.Architecture;

    /// <param name="progress">Told the share done, from 0 to 1.</param>
    /// <exception cref="InvalidDataException">The size cannot be kept, no text has two tokens, or activations are no numbers.</exception>
    public CalibrationResult Run(Action<double>? progress = null, CancellationToken cancellation = default)
    {
        IReadOnlyList<IReadOnlyList<int>> texts = [.. request.Texts.Where(text => text.Count > 1)];
        if (texts.Count == 0) throw new InvalidDataException("There is no text of at least two tokens to calibrate over.");
        var plan = Plan(texts, cancellation);
        var options = new CalibrationOptions { Layout = name => plan[name], Threads = request.Threads };
        var matrices = new Dictionary<string, QuantizedMatrix>(
            new LayerwiseCalibration(weights, options).Run(texts, progress, cancellation));
        foreach (var part in MatrixGroup.Of(architecture).Where(group => group.IsTable).SelectMany(group => group.Parts))
            matrices.Add(part.Name, QuantizedMatrix.Nearest(weights[part.Name].Span, plan[part.Name], (int)part.Shape[1]));
        return new(
            new ModelQuantization(matrices), plan, request.Precision == ExportPrecision.Int4 ? plan.Widened(architecture) : 0,
            MatrixGroup.Of(architecture).Count(group => !group.IsTable), texts.Count, texts.Sum(text => (long)text.Count));
    }

    private BitPlan Plan(IReadOnlyList<IReadOnlyList<int>> texts, CancellationToken cancellation)
    {
        var body = request.Precision == ExportPrecision.Int8 ? new BlockLayout(8, 32) : new BlockLayout(4, request.Block);
        if (request is not { MaxBytes: { } most, Precision: ExportPrecision.Int4 }) return BitPlan.Even(architecture, body);
        long left = most - ExportedSize.Besides(architecture);
        BitPlan.Within(architecture, body, new Dictionary<string, double>(), left); // what cannot fit is said before the work
        int tokens = 0;
        IReadOnlyList<int>[] some = [.. texts.TakeWhile(text => (tokens += text.Count) <= RankingTokens || tokens == text.Count)];
        return BitPlan.Within(architecture, body, new RoundingGain(weights, request.Threads).Measure(body, some, cancellation), left);
    }
}

using System.Text;
using System.Text.Json;
using Distill.Export.Parity;

namespace Distill.Export.Package;

/// <summary>What the gate found, as distill.json and the model card tell it.</summary>
internal static class RecordedParity
{
    /// <summary><c>parity</c> of distill.json.</summary>
    public static void Write(Utf8JsonWriter json, ParityReport parity)
    {
        json.WriteBoolean("passed", parity.Passed);
        json.WriteNumber("maxAbsLogitDiff", parity.MaxAbsLogitDiff);
        json.WriteNumber("maxAbsLogit", parity.MaxAbsLogit);
        json.WriteNumber("positionsCompared", parity.PositionsCompared);
        json.WriteNumber("greedyTokensCompared", parity.GreedyTokensCompared);
        json.WriteNumber("greedyMismatches", parity.GreedyMismatches);
        json.WriteNumber("greedyTies", parity.GreedyTies);
        json.WriteNumber("relativeTolerance", parity.Tolerance.RelativeLogits);
        json.WriteNumber("mismatchShareAllowed", parity.Tolerance.MismatchShare);
        if (parity.Quality is { } quality) json.Object("quality", () => Write(json, quality));
        if (parity.DynamicInt8 is { } second) json.Object("dynamicInt8", () => Write(json, second));
        if (parity.Accuracy is { } accuracy) json.Object("accuracy", () => Write(json, accuracy));
        if (parity.Runtimes is not { } runtimes) return;
        json.Object("runtimes", () =>
        {
            foreach (var runtime in runtimes) json.Object(runtime.Name, () =>
            {
                json.WriteNumber("prompts", runtime.Prompts);
                json.WriteNumber("tokens", runtime.Tokens);
                json.WriteNumber("mismatches", runtime.Mismatches);
                if (runtime.NotRun is { } reason) json.WriteString("notRun", reason);
            });
        });
    }

    /// <summary>Section of the model card; nothing without a report.</summary>
    public static void Append(StringBuilder card, ParityReport? parity)
    {
        if (parity is null) return;
        card.Append("## Parity with the trained model\n\n| compared | measured | allowed |\n|---|---|---|\n");
        foreach (var row in ParityRows.Of(parity)) card.Append($"| {row.Name} | {row.Measured} | {row.Allowed} |\n");
        card.Append($"\nGate: {(parity.Passed ? "passed" : "failed")}.\n\n");
    }

    private static void Write(Utf8JsonWriter json, QualityReport quality)
    {
        json.WriteNumber("texts", quality.Texts);
        json.WriteNumber("tokens", quality.Tokens);
        json.WriteNumber("perplexity", quality.Perplexity);
        json.WriteNumber("referencePerplexity", quality.ReferencePerplexity);
        json.WriteNumber("perplexityRatio", quality.PerplexityRatio);
        json.WriteNumber("meanDivergence", quality.MeanDivergence);
        json.WriteNumber("divergence99", quality.Divergence99);
        json.WriteNumber("topAgreement", quality.TopAgreement);
    }

    private static void Write(Utf8JsonWriter json, TaskAccuracy accuracy)
    {
        json.WriteNumber("problems", accuracy.Problems);
        json.WriteNumber("model", accuracy.Model);
        json.WriteNumber("exported", accuracy.Exported);
        json.WriteNumber("difference", accuracy.Difference);
        json.WriteNumber("low95", accuracy.DifferenceInterval95.Low);
        json.WriteNumber("high95", accuracy.DifferenceInterval95.High);
    }
}

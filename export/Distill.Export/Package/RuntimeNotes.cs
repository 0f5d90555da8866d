namespace Distill.Export.Package;

/// <summary>What a runtime does with an export, as far as it was tried.</summary>
internal sealed record RuntimeNote(string Runtime, string Found);

/// <summary>
/// Where exports run, by precision. Tried is what this project's tests try; nothing is concluded from what a runtime's documentation says.
/// </summary>
internal static class RuntimeNotes
{
    private const string NotTried = "not tried", Same = "tried: the same greedy tokens";

    /// <param name="isPortable">Standard operators alone; tried in fp32 and int4.</param>
    /// <param name="hasAdapters">With places for adapters; tried in plain ONNX Runtime, and in fp32 in GenAI.</param>
    public static IReadOnlyList<RuntimeNote> Of(ExportPrecision precision, bool isPortable, bool hasAdapters)
    {
        bool isTried = !hasAdapters && (!isPortable || precision is ExportPrecision.Single or ExportPrecision.Int4);
        bool isInGenAI = isTried || (!isPortable && precision == ExportPrecision.Single);
        return [.. Of(precision).Select(note => note.Found != Same
            || (note.Runtime.Contains("GenAI", StringComparison.Ordinal) ? isInGenAI : isTried)
                ? note : note with { Found = "not tried in this form" })];
    }

    private static IReadOnlyList<RuntimeNote> Of(ExportPrecision precision) =>
    [
        new("ONNX Runtime 1.31, CPU", precision.RunsOnProcessor() ? "tried: run when it was written" : "no: it has no bf16 kernels"),
        new("ONNX Runtime GenAI 0.18, CPU", precision.RunsOnProcessor() ? Same : "no"),
        new("transformers.js 4.3, Node", precision.BrowserName() is not null ? Same : "no: it has no bf16"),
        new("transformers.js 4.3, browser (WASM)", precision.BrowserName() is not null ? Same : "no: it has no bf16"),
        new("transformers.js 4.3, browser (WebGPU)", precision switch
        {
            ExportPrecision.BFloat16 => "no: it has no bf16",
            ExportPrecision.Half => "not tried: its adapter must have `shader-f16`",
            _ => Same,
        }),
        new("ONNX Runtime, CUDA", NotTried),
        new("Foundry Local", NotTried),
    ];

    /// <summary>The first ONNX Runtime that has every operator and format of an export, by its release notes; 1.31 was tried.</summary>
    public static string LeastRuntime(ExportPrecision precision) => precision switch
    {
        ExportPrecision.Int8 or ExportPrecision.Int4 => "1.22", // 8 bits in MatMulNBits
        _ => "1.18", // operator set 21, IR version 10
    };
}

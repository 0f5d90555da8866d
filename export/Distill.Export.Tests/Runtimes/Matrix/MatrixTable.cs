using System.Text;

namespace Distill.Export.Tests.Runtimes.Matrix;

/// <summary>A cell that is not equal, and why. It is checked to be still so.</summary>
/// <param name="Family">Null for all of them.</param>
/// <param name="Says">Part of what the runtime says.</param>
internal sealed record MatrixException(string Runtime, string Format, string? Family, string Says, string Reason);

/// <summary>What the matrix is expected to be, for the tests and for the documentation.</summary>
internal static class MatrixTable
{
    private const string Window = "llama.cpp has no sliding window for the architecture; the export to GGUF refuses the families with one.",
        Plain = "llama.cpp has no word for layers without rotary embedding at places of their own; the export to GGUF refuses them.";

    public static IReadOnlyList<MatrixException> Exceptions { get; } =
    [
        new("LLamaSharp", "fp32", "mistral", "no sliding window", Window),
        .. ((string[])["fp32", "fp16", "int8", "int4"]).SelectMany(format => (MatrixException[])
        [
            new("LLamaSharp", format, "qwen2-window", "no sliding window", Window),
            new("LLamaSharp", format, "smollm3", "layers without rotary embedding", Plain),
        ]),
        .. ((string[])["q8", "portable fp32", "portable int4", "int4 calibrated"]).Select(format =>
            new MatrixException("LLamaSharp", format, null, "No GGUF file has this form", "A GGUF file has no such form: the graph is "
                + "ONNX's, and codes are chosen for its products.")),
        new("ONNX Runtime GenAI", "q8", null, "names one graph", "`genai_config.json` names one graph, and it is the main one."),
        new("transformers.js in a browser, WebGPU", "fp16", null, "does not support fp16",
            "The adapter must have `shader-f16`; the one that computes on the processor, which the tests use, has not."),
    ];

    public static MatrixException? Of(MatrixRuntime runtime, MatrixFormat format, string family) => Exceptions.FirstOrDefault(exception =>
        exception.Runtime == runtime.Name && exception.Format == format.Name && (exception.Family ?? family) == family);

    /// <summary>A row for every format, a column for every runtime.</summary>
    public static string Markdown()
    {
        var table = new StringBuilder("| | plain ONNX Runtime |");
        foreach (var runtime in MatrixRuntime.All) table.Append($" {runtime.Name} |");
        table.Append("\n|---|---|").Append(string.Concat(Enumerable.Repeat("---|", MatrixRuntime.All.Count))).Append('\n');
        var reasons = new List<string>();
        foreach (var format in MatrixFormat.All)
        {
            table.Append($"| {format.Name} | equal |");
            foreach (var runtime in MatrixRuntime.All)
            {
                var exceptions = Exceptions
                    .Where(exception => exception.Runtime == runtime.Name && exception.Format == format.Name).ToList();
                foreach (string reason in exceptions.Select(exception => exception.Reason).Except(reasons).ToList()) reasons.Add(reason);
                string notes = string.Join(", ", exceptions.Select(exception => reasons.IndexOf(exception.Reason) + 1).Distinct());
                table.Append(exceptions.Count == 0 ? " equal |" : exceptions.All(exception => exception.Family is not null)
                    ? $" equal but {notes} |" : $" no ({notes}) |");
            }

            table.Append('\n');
        }

        table.Append('\n');
        foreach (var (i, reason) in reasons.Index()) table.Append($"{i + 1}. {reason}\n");
        return table.ToString();
    }
}

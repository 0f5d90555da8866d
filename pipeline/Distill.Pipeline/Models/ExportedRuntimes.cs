using Distill.Export;
using Distill.Export.Parity;
using Distill.Export.Runtimes;
using Distill.Generation.Onnx;

namespace Distill.Pipeline.Models;

/// <summary>The runtimes that an exported folder is tried in beside the own engine, and why others are not. Dispose it.</summary>
internal sealed class ExportedRuntimes : IDisposable
{
    /// <summary>What may be asked for.</summary>
    public static IReadOnlyList<string> Names { get; } = [GenAIRuntime.RuntimeName, NodeRuntime.RuntimeName];

    private ExportedRuntimes(IReadOnlyList<IExportedRuntime> all, IReadOnlyList<string> missing) => (All, Missing) = (all, missing);

    public IReadOnlyList<IExportedRuntime> All { get; }

    /// <summary>Of those asked for, in a sentence each.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <param name="wanted">Some of <see cref="Names"/>.</param>
    /// <param name="precision">Of the folder.</param>
    /// <param name="onProcessor">Whether the own engine runs there; the others run nowhere else.</param>
    public static ExportedRuntimes Open(
        ModelFolder folder, IReadOnlyCollection<string> wanted, ExportPrecision precision, bool onProcessor, OnnxModelOptions options)
    {
        var all = new List<IExportedRuntime>();
        var missing = new List<string>();
        foreach (string name in wanted)
        {
            if (!onProcessor) missing.Add($"{name} runs on the processor here, and the model was verified on a card.");
            else if (name == GenAIRuntime.RuntimeName) all.Add(new GenAIRuntime(folder, options));
            else if (TransformersRuntime.Find() is { } node) all.Add(new NodeRuntime(node, folder.Path, precision.BrowserName()));
            else missing.Add(TransformersRuntime.Absence);
        }

        return new(all, missing);
    }

    public void Dispose()
    {
        foreach (var runtime in All) runtime.Dispose();
    }
}

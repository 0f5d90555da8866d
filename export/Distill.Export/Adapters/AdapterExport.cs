using Distill.Architecture;
using Distill.Export.Formats;
using Distill.Export.Onnx;
using Distill.Generation.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Export.Adapters;

/// <summary>Adapters that are exported beside their base, not merged into it, by the names of their files. Dispose it.</summary>
/// <param name="Adapters">Opened beside the model that is exported; disposed with this.</param>
internal sealed record AdapterExport(IReadOnlyList<(string Name, PeftAdapter Adapter)> Adapters) : IDisposable
{
    public const string Folder = "adapters";

    /// <summary>The parameters that any of them changes: those that get inputs.</summary>
    public IReadOnlySet<string> Adapted { get; } =
        Adapters.SelectMany(entry => entry.Adapter.Targets).Select(target => target.Parameter).ToHashSet();

    /// <exception cref="InvalidDataException">One changes what an adapter file cannot change; says what, and what to do.</exception>
    public void Require(DecoderArchitecture architecture)
    {
        foreach (var (name, adapter) in Adapters)
        {
            string? reason = adapter.Architecture != architecture ? "it changes the model's sizes (added tokens, or a head that was tied)"
                : adapter.Whole.Count > 0 ? $"it holds whole weights ({string.Join(", ", adapter.Whole.Order().Take(3))})"
                : adapter.HasBiases ? "it changes biases"
                : adapter.Targets.FirstOrDefault(target => !AdapterNames.MayHave(target.Parameter)) is { } target
                    ? $"it changes '{target.Parameter}'" : null;
            if (reason is not null)
                throw new InvalidDataException($"Adapter '{name}' cannot be a file beside its base: {reason}. Only products of the layers' "
                    + "projections can. Merge it instead (--adapter).");
        }
    }

    /// <summary>Writes <c>adapters/NAME.onnx_adapter</c> for each, and what they are into a README.md beside them.</summary>
    /// <param name="folder">Of the base model.</param>
    /// <param name="precision">Of the base: adapters are of the type that flows in its graph.</param>
    /// <exception cref="InvalidDataException"><inheritdoc cref="Require" path="/exception"/></exception>
    public void Write(string folder, DecoderArchitecture architecture, ExportPrecision precision)
    {
        Require(architecture);
        _ = RuntimeTelemetry.Runtime;
        var type = WeightFormat.Of(new() { Precision = precision }).Flow;
        string place = Path.Combine(folder, Folder);
        Directory.CreateDirectory(place);
        foreach (var (name, adapter) in Adapters)
        {
            string path = Path.Combine(place, name + AdapterFile.Extension);
            AdapterFile.Write(path, [.. Tensors(adapter, type)]);
            OrtLoraAdapter.Create(path, null).Dispose(); // what ONNX Runtime refuses is found here
        }

        DurableFile.Write(Path.Combine(place, "README.md"), System.Text.Encoding.UTF8.GetBytes(Readme()));
    }

    public void Dispose()
    {
        foreach (var (_, adapter) in Adapters) adapter.Dispose();
    }

    private static IEnumerable<AdapterTensor> Tensors(PeftAdapter adapter, OnnxElementType type)
    {
        foreach (var target in adapter.Targets)
        {
            yield return new(AdapterNames.A(target.Parameter), type, [target.In, target.Rank],
                () => Transposed(adapter.ReadA(target), target.Rank, 1));
            yield return new(AdapterNames.B(target.Parameter), type, [target.Rank, target.Out],
                () => Transposed(adapter.ReadB(target), (int)target.Out, target.Scaling));
        }
    }

    // [rows, columns] → [columns, rows], multiplied
    private static float[] Transposed(float[] values, int rows, float scaling)
    {
        int columns = values.Length / rows;
        float[] turned = new float[values.Length];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) turned[(column * rows) + row] = values[(row * columns) + column] * scaling;
        return turned;
    }

    private string Readme()
    {
        string first = $"{Folder}/{Adapters[0].Name}{AdapterFile.Extension}";
        string rows = string.Concat(Adapters.Select(entry =>
            $"| `{entry.Name}{AdapterFile.Extension}` | {entry.Adapter.Targets.Count} | {Ranks(entry.Adapter)} |\n"));
        return $"""
            # Adapters

            LoRA adapters of the model one folder above, in ONNX Runtime's format. Without one the model is its base.

            | file | projections | rank |
            |---|---|---|
            {rows}
            ONNX Runtime (C#):

                using var adapter = OrtLoraAdapter.Create("{first}", null);
                using var options = new RunOptions();
                options.AddActiveLoraAdapter(adapter); // for the runs with these options

            ONNX Runtime GenAI (C#):

                using var adapters = new Adapters(model);
                adapters.LoadAdapter("{first}", "{Adapters[0].Name}");
                generator.SetActiveAdapter(adapters, "{Adapters[0].Name}");

            """.ReplaceLineEndings("\n");
    }

    private static string Ranks(PeftAdapter adapter) =>
        string.Join(", ", adapter.Targets.Select(target => target.Rank).Distinct().Order());
}

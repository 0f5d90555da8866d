using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Architecture;

namespace Distill.Student.Tests.Adapters.Peft;

/// <summary>An adapter's folder under construction: a configuration as peft writes it, and tensors under any names.</summary>
internal sealed class AdapterFolder : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<SafeTensor> tensors = [];
    private readonly Random random = new(7);

    public JsonObject Config { get; } = new()
    {
        ["peft_type"] = "LORA", ["task_type"] = "CAUSAL_LM", ["base_model_name_or_path"] = "someone/model", ["r"] = 4, ["lora_alpha"] = 8,
        ["lora_dropout"] = 0.05, ["bias"] = "none", ["target_modules"] = new JsonArray("q_proj"),
        ["use_rslora"] = false, ["use_dora"] = false,
        ["rank_pattern"] = new JsonObject(), ["alpha_pattern"] = new JsonObject(), ["modules_to_save"] = null, ["fan_in_fan_out"] = false,
        ["inference_mode"] = true, ["init_lora_weights"] = true,
    };

    public string Path => folder.Path;

    public float[] Add(string name, params long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (product, size) => product * size)];
        for (int i = 0; i < values.Length; i++) values[i] = (float)(random.NextDouble() - 0.5);
        Add(name, values, shape);
        return values;
    }

    public void Add(string name, float[] values, params long[] shape) => tensors.Add(SafeTensor.Singles(name, shape, values));

    /// <summary>A and B of a projection in every layer, under peft's names.</summary>
    public void AddLayers(DecoderArchitecture architecture, string projection, long rank = 4)
    {
        foreach (var spec in ParameterMap.For(architecture)
            .Where(spec => spec.Name.EndsWith($".{projection}.weight", StringComparison.Ordinal)))
        {
            string module = spec.Name[..^".weight".Length];
            Add($"base_model.model.{module}.lora_A.weight", rank, spec.Shape[1]);
            Add($"base_model.model.{module}.lora_B.weight", spec.Shape[0], rank);
        }
    }

    public PeftAdapter Open(DecoderArchitecture architecture)
    {
        File.WriteAllText(folder.File(PeftAdapter.ConfigName), Config.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        SafeTensorsWriter.Write(folder.File(PeftAdapter.WeightsName), tensors);
        return PeftAdapter.Open(folder.Path, architecture);
    }

    public string Refusal(DecoderArchitecture architecture) =>
        Should.Throw<InvalidDataException>(() => Open(architecture).Dispose()).Message;

    public void Dispose() => folder.Dispose();
}

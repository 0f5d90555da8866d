using Distill.Architecture;

namespace Distill.Export.Tests.Support;

/// <summary>A LoRA adapter with random factors as peft saves it, large enough to change what a tiny model says.</summary>
internal static class TinyAdapter
{
    /// <param name="projections">Such as <c>q_proj</c>; they get adapters in every layer.</param>
    /// <param name="extra">Whole tensors to save along, by their names in the file.</param>
    public static PeftAdapter Make(
        string folder, DecoderArchitecture architecture, int rank, int seed, string[] projections,
        params (string Name, long[] Shape)[] extra)
    {
        var random = new Random(seed);
        var tensors = new List<SafeTensor>();
        void Add(string name, long[] shape)
        {
            int count = (int)shape.Aggregate(1L, (product, size) => product * size);
            float[] values = [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
            tensors.Add(SafeTensor.Singles(name, shape, values));
        }

        foreach (var spec in ParameterMap.For(architecture))
        {
            string module = spec.Name.EndsWith(".weight", StringComparison.Ordinal) ? spec.Name[..^7] : "";
            if (!projections.Contains(module.Split('.')[^1])) continue;
            Add($"base_model.model.{module}.lora_A.weight", [rank, spec.Shape[1]]);
            Add($"base_model.model.{module}.lora_B.weight", [spec.Shape[0], rank]);
        }

        foreach (var (name, shape) in extra) Add(name, shape);
        Directory.CreateDirectory(folder);
        string kept = extra.Length == 0 ? "null" : "[\"embed_tokens\", \"lm_head\"]";
        File.WriteAllText(Path.Combine(folder, PeftAdapter.ConfigName), $$"""
            { "peft_type": "LORA", "r": {{rank}}, "lora_alpha": {{rank * 1.5}}, "bias": "none", "modules_to_save": {{kept}},
              "target_modules": [{{string.Join(", ", projections.Select(name => $"\"{name}\""))}}] }
            """);
        SafeTensorsWriter.Write(Path.Combine(folder, PeftAdapter.WeightsName), tensors);
        return PeftAdapter.Open(folder, architecture);
    }
}

using System.Text.RegularExpressions;

namespace Distill.Architecture;

/// <summary>The tensors of a module's adapter by their names in the file.</summary>
/// <param name="BiasOfB">What the adapter adds beside the product; null in nearly all.</param>
/// <param name="IsEmbedding">Stored as for a table: A [rank, rows], B [columns, rank].</param>
internal sealed record PeftFactors(string A, string B, string? BiasOfB, bool IsEmbedding);

/// <summary>
/// What adapter_model.safetensors holds, by the names that tensors have in a model without adapters: factors by module, and parameters that
/// were trained and stored whole. Read are the names that peft saves (<c>base_model.model.….lora_A.weight</c>) and those of a training's
/// own state (with the adapter's name, <c>modules_to_save</c>, <c>base_layer</c>, and what compilers and shards put into them).
/// </summary>
internal sealed partial class PeftTensors
{
    private readonly Dictionary<string, string> a = [], b = [], biases = [], whole = [];
    private readonly HashSet<string> embeddings = [];
    private readonly HashSet<string> adapters = [];

    public PeftTensors(SafeTensorsFile file)
    {
        foreach (var entry in file.Entries) Sort(entry.Name);
        if (adapters.Count > 1) Problems.Add($"it holds several adapters ({string.Join(", ", adapters.Order())}); save one of them alone");
        foreach (string module in a.Keys.Concat(b.Keys).Distinct().Where(module => a.ContainsKey(module) != b.ContainsKey(module)))
            Problems.Add($"of the adapter of '{module}' it holds {(a.ContainsKey(module) ? "A without B" : "B without A")}");
        Factors = a.Keys.Where(b.ContainsKey).ToDictionary(
            module => module,
            module => new PeftFactors(a[module], b[module], biases.GetValueOrDefault(module), embeddings.Contains(module)));
    }

    /// <summary>By module.</summary>
    public IReadOnlyDictionary<string, PeftFactors> Factors { get; }

    /// <summary>The tensor's name in the file by the parameter's.</summary>
    public IReadOnlyDictionary<string, string> Whole => whole;

    public List<string> Problems { get; } = [];

    private void Sort(string name)
    {
        string plain = Wrapped().Replace(name, "");
        if (plain.StartsWith("base_model.model.", StringComparison.Ordinal)) plain = plain["base_model.model.".Length..];
        if (Unprefixed().IsMatch(plain)) plain = "model." + plain; // trained without a head
        if (plain.Contains(".original_module.", StringComparison.Ordinal)) return; // the base's own, beside what was trained
        if (Factor().Match(plain) is { Success: true } factor) SortFactor(name, factor);
        else if (plain.Contains("lora_", StringComparison.Ordinal) || plain.Contains(".token_adapter.", StringComparison.Ordinal))
            Problems.Add($"'{name}' is of a kind of adapter that cannot be merged");
        else Keep(whole, Kept().Replace(plain, "."), name);
    }

    private void SortFactor(string name, Match factor)
    {
        string module = factor.Groups["module"].Value, part = factor.Groups["part"].Value;
        if (factor.Groups["adapter"] is { Success: true, Value: var adapter }) adapters.Add(adapter);
        if (factor.Groups["embedding"].Success) embeddings.Add(module);
        if (factor.Groups["kind"].Value == "bias") Keep(biases, module, name);
        else Keep(part == "A" ? a : b, module, name);
    }

    private void Keep(Dictionary<string, string> among, string key, string name)
    {
        if (!among.TryAdd(key, name)) Problems.Add($"'{name}' and '{among[key]}' are the same tensor of the model");
    }

    [GeneratedRegex(
        @"^(?<module>.+)\.lora_(?<embedding>embedding_)?(?<part>[AB])(\.(?!weight$|bias$)(?<adapter>[^.]+))?(\.(?<kind>weight|bias))?$",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Factor();

    [GeneratedRegex(@"\.(modules_to_save\.[^.]+|modules_to_save|base_layer)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Kept();

    [GeneratedRegex(@"(_orig_mod|_fsdp_wrapped_module)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Wrapped();

    [GeneratedRegex(@"^(layers|embed_tokens|norm)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Unprefixed();
}

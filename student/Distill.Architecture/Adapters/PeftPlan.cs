namespace Distill.Architecture;

/// <summary>
/// What of an adapter goes where in a model: its configuration, its tensors and the model's parameters held against each other, before a
/// weight is read. Immutable.
/// </summary>
internal sealed class PeftPlan
{
    private const string Weight = ".weight", Bias = ".bias";
    private const string HeadModule = "lm_head", EmbeddingModule = "model.embed_tokens";
    private readonly Dictionary<string, PeftTarget> targets = [];
    private readonly Dictionary<string, (string Name, float Scaling)> biases = [];
    private readonly TiedHead tied;

    private PeftPlan(PeftTensors tensors, DecoderArchitecture architecture, DecoderArchitecture merged, TiedHead tied)
    {
        (Base, Architecture, this.tied) = (architecture, merged, tied);
        Whole = [.. ParameterMap.For(merged).Select(spec => spec.Name).Where(name => tensors.Whole.ContainsKey(StoredNameOf(name)))];
    }

    public DecoderArchitecture Base { get; }

    /// <summary>Whether products have biases of their own.</summary>
    public bool HasBiases => biases.Count > 0;

    public DecoderArchitecture Architecture { get; }

    public IReadOnlyList<PeftTarget> Targets { get; private set; } = [];

    public IReadOnlyCollection<string> Whole { get; }

    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <exception cref="InvalidDataException">They do not fit each other: every reason.</exception>
    public static PeftPlan Make(PeftConfig config, PeftTensors tensors, SafeTensorsFile file, DecoderArchitecture architecture)
    {
        var problems = new List<string>(tensors.Problems);
        var tied = TiedHead.Of(config, tensors, file, architecture);
        var merged = architecture with
        {
            TieEmbeddings = architecture.TieEmbeddings && !tied.Untied,
            VocabularySize = VocabularyOf(tensors, file, architecture, problems),
        };
        var plan = new PeftPlan(tensors, architecture, merged, tied) { Warnings = tied.Warnings };
        if (config.KeepsTied && architecture.TieEmbeddings && TiedHead.HasProducts(tensors))
            problems.Add("it ties low-rank adapters of the embedding and the head (ensure_weight_tying), which is not supported");
        RequireConfigured(config, tensors, architecture, problems);
        plan.Place(config, tensors, file, problems);
        if (problems.Count == 0 && plan.Targets.Count == 0 && plan.Whole.Count == 0) problems.Add("it holds no adapter");
        return problems.Count == 0 ? plan
            : throw new InvalidDataException($"'{file.File}' is no adapter of this model: {string.Join("; ", problems.Take(5))}"
                + (problems.Count > 5 ? $"; and {problems.Count - 5} more." : "."));
    }

    public PeftTarget? TargetOf(string parameter) => targets.GetValueOrDefault(parameter);

    public (string Name, float Scaling)? BiasOf(string parameter) => biases.TryGetValue(parameter, out var bias) ? bias : null;

    /// <summary>Under which name the adapter stores a parameter whole, if it does.</summary>
    public string StoredNameOf(string parameter) =>
        parameter == ParameterMap.Embedding && tied.EmbeddingIsHead ? ParameterMap.OutputProjection
            : parameter is ParameterMap.Embedding or ParameterMap.OutputProjection ? tied.StartOfBoth ?? parameter : parameter;

    /// <summary>Which of the base's parameters one of the merged model starts from.</summary>
    public string BaseNameOf(string parameter) =>
        parameter == ParameterMap.OutputProjection && Base.TieEmbeddings ? ParameterMap.Embedding : parameter;

    private static int VocabularyOf(
        PeftTensors tensors, SafeTensorsFile file, DecoderArchitecture architecture, List<string> problems)
    {
        long? Rows(string parameter) =>
            tensors.Whole.TryGetValue(parameter, out string? name) && file.Entry(name).Shape is [var rows, _] ? rows : null;
        long? embedding = Rows(ParameterMap.Embedding), head = Rows(ParameterMap.OutputProjection);
        long found = embedding ?? head ?? architecture.VocabularySize;
        if (embedding is not null && head is not null && embedding != head)
            problems.Add($"its embedding has {embedding} rows and its head {head}");
        else if (found != architecture.VocabularySize && !architecture.TieEmbeddings && (embedding is null || head is null))
        {
            problems.Add($"its {(embedding is null ? "head" : "embedding")} has {found} rows, the model {architecture.VocabularySize}, and "
                + $"the other of the two is not in it; save both (save_embedding_layers=True)");
        }

        return (int)Math.Min(found, int.MaxValue);
    }

    // The tensors are what was trained; where the configuration means other modules, one of the two files is not this adapter's.
    private static void RequireConfigured(
        PeftConfig config, PeftTensors tensors, DecoderArchitecture architecture, List<string> problems)
    {
        var modules = ParameterMap.For(architecture).Where(spec => spec.Shape.Count == 2).Select(spec => ModuleOf(spec.Name))
            .Append(HeadModule).Distinct().ToList();
        foreach (string module in modules.Where(module => config.Modules.Targets(module) && !tensors.Factors.ContainsKey(module)))
            problems.Add($"{PeftConfig.FileName} names '{module}', and there is no adapter of it");
        foreach (string module in tensors.Factors.Keys.Where(modules.Contains).Where(module => !config.Modules.Targets(module)))
            problems.Add($"it has an adapter of '{module}', which {PeftConfig.FileName} does not name");
    }

    private void Place(PeftConfig config, PeftTensors tensors, SafeTensorsFile file, List<string> problems)
    {
        var specs = ParameterMap.For(Architecture).ToDictionary(spec => spec.Name);
        var placed = new List<PeftTarget>();
        foreach (var spec in ParameterMap.For(Architecture))
        {
            string module = ModuleOf(spec.Name);
            if (!tensors.Factors.ContainsKey(module)) continue;
            if (spec.Shape is not [var rows, var columns])
            {
                problems.Add($"'{module}' is no matrix, and has an adapter");
                continue;
            }

            var target = new PeftTarget(spec.Name, rows, columns, config.RankOf(module), config.ScalingOf(module));
            Check(target, tensors.Factors[module], file, problems);
            targets.Add(spec.Name, target);
            placed.Add(target);
            if (tensors.Factors[module].BiasOfB is { } bias) PlaceBias(module, bias, target, specs, problems);
        }

        foreach (string module in tensors.Factors.Keys.Where(module => !specs.ContainsKey(module + Weight)))
            problems.Add($"the model has no '{module}'");
        foreach (var (name, stored) in tensors.Whole) CheckWhole(name, stored, specs, file, problems);
        Targets = placed;
    }

    private void PlaceBias(
        string module, string bias, PeftTarget target, Dictionary<string, ParameterSpec> specs, List<string> problems)
    {
        if (specs.ContainsKey(module + Bias)) biases.Add(module + Bias, (bias, target.Scaling));
        else problems.Add($"'{bias}' is a bias, and '{module}' of the model has none to add it to");
    }

    private static void Check(PeftTarget target, PeftFactors factors, SafeTensorsFile file, List<string> problems)
    {
        void Require(string name, params long[] shape)
        {
            var entry = file.Entry(name);
            if (!entry.Shape.SequenceEqual(shape))
                problems.Add($"'{name}' has shape {entry.ShapeText}, and the model with this rank asks for [{string.Join(", ", shape)}]");
        }

        Require(factors.A, target.Rank, factors.IsEmbedding ? target.Out : target.In);
        Require(factors.B, factors.IsEmbedding ? target.In : target.Out, target.Rank);
        if (factors.BiasOfB is { } bias) Require(bias, target.Out);
    }

    private void CheckWhole(
        string name, string stored, Dictionary<string, ParameterSpec> specs, SafeTensorsFile file, List<string> problems)
    {
        bool isTied = name == ParameterMap.OutputProjection && Architecture.TieEmbeddings;
        if (!specs.TryGetValue(isTied ? ParameterMap.Embedding : name, out var spec))
            problems.Add($"the model has no place for '{stored}'");
        else if (!file.Entry(stored).Shape.SequenceEqual(spec.Shape))
            problems.Add($"'{stored}' has shape {file.Entry(stored).ShapeText}; the model asks for [{string.Join(", ", spec.Shape)}]");
    }

    private static string ModuleOf(string parameter) =>
        parameter.EndsWith(Weight, StringComparison.Ordinal) ? parameter[..^Weight.Length] : parameter;

    /// <summary>
    /// Whether a tied model's head stays its embedding. In training an adapter of one of the two changes that one alone: the model that
    /// was trained is untied. What was saved because rows were added, or tied on purpose, is one matrix.
    /// </summary>
    /// <param name="EmbeddingIsHead">The one matrix is stored under the head's name.</param>
    /// <param name="StartOfBoth">
    /// Which of the two stores the matrix that both had when products were added to one; null where each has its own start.
    /// </param>
    private sealed record TiedHead(bool Untied, bool EmbeddingIsHead, IReadOnlyList<string> Warnings, string? StartOfBoth = null)
    {
        public static bool HasProducts(PeftTensors tensors) =>
            tensors.Factors.ContainsKey(HeadModule) || tensors.Factors.ContainsKey(EmbeddingModule);

        public static TiedHead Of(PeftConfig config, PeftTensors tensors, SafeTensorsFile file, DecoderArchitecture architecture)
        {
            bool embedding = tensors.Whole.TryGetValue(ParameterMap.Embedding, out string? ofEmbedding),
                head = tensors.Whole.TryGetValue(ParameterMap.OutputProjection, out string? ofHead);
            if (!architecture.TieEmbeddings) return new(false, false, []);
            bool products = HasProducts(tensors);
            bool grown = new[] { ofEmbedding, ofHead }
                .Any(name => name is not null && file.Entry(name).Shape[0] != architecture.VocabularySize);
            bool differ = products || (embedding && head ? !file.HoldsSame(ofEmbedding!, file, ofHead!) : (embedding || head) && !grown);
            bool keeps = config.KeepsTied && !products && !(embedding && head && differ);
            if (!differ || keeps) return new(false, head && !embedding, []);
            // A base that was resized is not the one that is here: what it was lies in the adapter, once for both.
            bool once = products && embedding != head
                && (grown || (ofEmbedding ?? ofHead)!.Contains(".base_layer.", StringComparison.Ordinal));
            return new(true, false,
            [
                "The base ties its head to its embedding, and the adapter changes one of them alone or both differently: the merged model "
                + "has both, untied, as it was trained.",
            ], !once ? null : embedding ? ParameterMap.Embedding : ParameterMap.OutputProjection);
        }
    }
}

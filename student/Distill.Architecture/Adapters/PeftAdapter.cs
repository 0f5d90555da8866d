namespace Distill.Architecture;

/// <summary>One low-rank adapter: W + scaling·B·A, W and B·A [out, in].</summary>
/// <param name="Parameter">Name of W in <see cref="ParameterMap"/>.</param>
/// <param name="Out">Rows of W and of B.</param>
/// <param name="In">Columns of W and of A.</param>
/// <param name="Rank">Columns of B, rows of A.</param>
internal sealed record PeftTarget(string Parameter, long Out, long In, int Rank, float Scaling);

/// <summary>
/// A folder with a LoRA adapter (Hu et al. 2021, arXiv 2106.09685) as peft saves it, opened beside the model that it was trained on:
/// adapter_config.json, adapter_model.safetensors, a tokenizer where tokens were added. The files stay open and a tensor is read when it is
/// asked for. Safe from any thread. The opener disposes it.
/// </summary>
internal sealed class PeftAdapter : IDisposable
{
    public const string ConfigName = PeftConfig.FileName;
    public const string WeightsName = "adapter_model.safetensors";

    private readonly Lock gate = new();
    private readonly SafeTensorsFile file;
    private readonly PeftTensors tensors;
    private readonly PeftPlan plan;

    private PeftAdapter(string folder, SafeTensorsFile file, PeftConfig config, PeftTensors tensors, DecoderArchitecture architecture)
    {
        (Folder, this.file, this.tensors) = (folder, file, tensors);
        Tokenizer = TokenizerFiles.Exist(folder) ? TokenizerFiles.Read(folder) : null;
        plan = PeftPlan.Make(config, tensors, file, architecture);
        BaseModel = config.BaseModel;
        Warnings = [.. config.Warnings, .. plan.Warnings];
        Tokenizer?.RequireFits(Path.Combine(folder, TokenizerFiles.TokenizerName), Architecture.VocabularySize);
    }

    public string Folder { get; }

    /// <summary>What it says it was trained on: a name on the Hub or a folder of another machine. Null where it does not say.</summary>
    public string? BaseModel { get; }

    /// <summary>
    /// The merged model's: the base's, with the rows that added tokens brought, and untied where head and embedding became different.
    /// </summary>
    public DecoderArchitecture Architecture => plan.Architecture;

    /// <summary>Beside the adapter; it wins over the base's. Null where there is none.</summary>
    public TokenizerFiles? Tokenizer { get; }

    /// <summary>In the order of <see cref="ParameterMap"/>.</summary>
    public IReadOnlyList<PeftTarget> Targets => plan.Targets;

    /// <summary>Parameters that were trained and stored whole (modules_to_save, resized embeddings, biases).</summary>
    public IReadOnlyCollection<string> Whole => plan.Whole;

    /// <summary>Whether a product has a bias of its own (lora_bias).</summary>
    internal bool HasBiases => plan.HasBiases;

    /// <summary>What was taken in another way than the files say, in sentences; usually none.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <param name="architecture">Of the model that it was trained on.</param>
    /// <exception cref="InvalidDataException">
    /// No adapter, of a kind that cannot be merged, not of this model, or a tokenizer that does not fit: the reasons, with the file's name.
    /// </exception>
    public static PeftAdapter Open(string folder, DecoderArchitecture architecture)
    {
        if (!Directory.Exists(folder)) throw new InvalidDataException($"'{folder}' is not a folder.");
        var config = PeftConfig.Read(folder);
        string path = FolderFile.Find(folder, WeightsName)
            ?? throw new InvalidDataException($"'{folder}' has no {WeightsName}."
                + (Directory.EnumerateFiles(folder, "adapter_model.bin").Any()
                    ? " Pickled weights (.bin) can run code when loaded and are not supported; save the adapter as safetensors." : ""));
        var file = SafeTensorsFile.Open(path);
        try
        {
            return new(folder, file, config, new PeftTensors(file), architecture);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether a folder holds an adapter, decided by the files it has.</summary>
    public static bool Announces(string folder) => File.Exists(Path.Combine(folder, ConfigName));

    /// <summary>[rank, in]</summary>
    /// <exception cref="InvalidDataException">The file cannot be read.</exception>
    public float[] ReadA(PeftTarget target)
    {
        var factors = FactorsOf(target);
        return factors.IsEmbedding ? Transposed(Read(factors.B), (int)target.In, target.Rank) : Read(factors.A);
    }

    /// <summary>[out, rank]</summary>
    /// <inheritdoc cref="ReadA"/>
    public float[] ReadB(PeftTarget target)
    {
        var factors = FactorsOf(target);
        return factors.IsEmbedding ? Transposed(Read(factors.A), target.Rank, (int)target.Out) : Read(factors.B);
    }

    /// <summary>
    /// The weights of the merged model, each made when it is asked for, in fp32: what was stored whole, else the base's, plus the product.
    /// Readable as long as the base's weights and this are.
    /// </summary>
    /// <param name="weights">Of the model that the adapter was opened beside.</param>
    /// <exception cref="ArgumentException">Of another.</exception>
    public WeightSet Merge(WeightSet weights)
    {
        if (weights.Architecture != plan.Base)
            throw new ArgumentException("The weights are not those of the model that the adapter was opened beside.", nameof(weights));
        return WeightSet.Streamed(Architecture, spec => Merged(weights, spec));
    }

    public void Dispose() => file.Dispose();

    private ReadOnlyMemory<float> Merged(WeightSet weights, ParameterSpec spec)
    {
        var target = plan.TargetOf(spec.Name);
        var bias = plan.BiasOf(spec.Name);
        bool isWhole = tensors.Whole.TryGetValue(plan.StoredNameOf(spec.Name), out string? stored);
        if (target is null && bias is null && !isWhole) return weights[plan.BaseNameOf(spec.Name)];
        float[] values = isWhole ? Read(stored!) : weights[plan.BaseNameOf(spec.Name)].ToArray();
        if (target is not null) LowRankProduct.Add(values, ReadA(target), ReadB(target), target);
        if (bias is var (name, scaling))
            foreach (var (i, value) in Read(name).Index()) values[i] += scaling * value;
        return values;
    }

    private PeftFactors FactorsOf(PeftTarget target) => tensors.Factors[target.Parameter[..^".weight".Length]];

    private float[] Read(string name)
    {
        lock (gate) return file.ReadSingles(name);
    }

    // [rows, columns] → [columns, rows]
    private static float[] Transposed(float[] values, int rows, int columns)
    {
        float[] turned = new float[values.Length];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) turned[(column * rows) + row] = values[(row * columns) + column];
        return turned;
    }
}

using static TorchSharp.torch;

namespace Distill.Generation.Torch.Sampling;

/// <summary>
/// What the queries of several rows ask for, beside the logits: one small table [rows, columns], and lists of biased and penalised entries
/// of the flattened scores. Also which kinds of work any row needs at all, which the host knows. Tensors belong to the dispose scope.
/// </summary>
internal sealed class QueryTensors
{
    private const int Columns = 6;

    private const int Ties = 64, UsualCandidates = 1024;

    private bool everyTopPHasTopK = true;

    private readonly Tensor table; // [rows, Columns] float64

    /// <param name="width">Scores of a row, padding included.</param>
    /// <param name="vocabularySize">Scores of a row that are tokens.</param>
    public QueryTensors(ReadOnlySpan<TokenQuery> queries, int width, int vocabularySize, Device device)
    {
        Rows = queries.Length;
        double[] values = new double[Rows * Columns];
        var bias = new EntryList();
        var penalties = new EntryList();
        var discounts = new EntryList();
        for (int row = 0; row < Rows; row++)
        {
            Add(queries[row], vocabularySize, values.AsSpan(row * Columns, Columns));
            Collect(queries[row], (long)row * width, bias, penalties);
            Count(queries[row], (long)row * width, discounts);
        }

        table = tensor(values, [Rows, Columns]).to(device);
        Bias = bias.ToTensors(device);
        Penalties = penalties.ToTensors(device);
        Discounts = discounts.ToTensors(device);
    }

    public int Rows { get; }

    /// <summary>Alternatives to name: the most that any row asks for.</summary>
    public int Top { get; private set; }

    /// <summary>Most tokens that a top-k filter keeps; 0: no row has one.</summary>
    public int LargestTopK { get; private set; }

    public bool AnyTopP { get; private set; }

    /// <summary>
    /// How many of the best tokens a top-p filter most likely looks at: as many as top-k leaves, some ties more, where every such row has
    /// both; otherwise what nearly all distributions need.
    /// </summary>
    public int LikelyCandidates => everyTopPHasTopK ? LargestTopK + Ties : UsualCandidates;

    public bool AnyMinP { get; private set; }

    public bool AnyTemperature { get; private set; }

    public bool AnyGreedy { get; private set; }

    public bool AnySampled { get; private set; }

    public bool Truncates => LargestTopK > 0 || AnyTopP || AnyMinP;

    /// <summary>Whether the distribution that is drawn from differs from the raw one in any row.</summary>
    public bool Shapes => AnyTemperature || Truncates || Bias is not null || Penalties is not null || Discounts is not null;

    /// <summary>[rows, 1] float64 each, as the properties below; greedy rows have 1.</summary>
    public Tensor Temperature => table.narrow(1, 0, 1);

    /// <summary>k; the vocabulary's size where all are kept.</summary>
    public Tensor TopK => table.narrow(1, 1, 1);

    /// <summary>p; above 1 where all are kept.</summary>
    public Tensor TopP => table.narrow(1, 2, 1);

    /// <summary>Share of the best token's probability; 0 keeps all.</summary>
    public Tensor MinP => table.narrow(1, 3, 1);

    public Tensor Uniform => table.narrow(1, 4, 1);

    /// <summary>1 for a greedy row, 0 for a sampled one.</summary>
    public Tensor Greedy => table.narrow(1, 5, 1);

    /// <summary>Places in the flattened scores, [entries] int64, and what is added there, [entries] fp32; null for none.</summary>
    public (Tensor Places, Tensor Values)? Bias { get; }

    /// <summary>As <see cref="Bias"/>: places of tokens present already, some of them twice, and the penalty of their row.</summary>
    public (Tensor Places, Tensor Values)? Penalties { get; }

    /// <summary>As <see cref="Bias"/>: what frequency and presence penalty add to tokens of completions so far, each once.</summary>
    public (Tensor Places, Tensor Values)? Discounts { get; }

    private void Add(in TokenQuery query, int vocabularySize, Span<double> row)
    {
        SamplingOptions options = query.Sampling;
        bool greedy = options.IsGreedy;
        bool topK = !greedy && options.TopK > 0 && options.TopK < vocabularySize, topP = !greedy && options.TopP < 1,
            minP = !greedy && options.MinP > 0;
        row[0] = greedy ? 1 : options.Temperature;
        row[1] = topK ? options.TopK : vocabularySize;
        row[2] = topP ? options.TopP : 2;
        row[3] = minP ? options.MinP : 0;
        row[4] = query.Uniform;
        row[5] = greedy ? 1 : 0;
        if (topK) LargestTopK = Math.Max(LargestTopK, options.TopK);
        AnyTopP |= topP;
        everyTopPHasTopK &= !topP || topK;
        AnyMinP |= minP;
        AnyTemperature |= row[0] != 1;
        AnyGreedy |= greedy;
        AnySampled |= !greedy;
        Top = Math.Max(Top, Math.Min(query.Top, vocabularySize));
    }

    private static void Collect(in TokenQuery query, long start, EntryList bias, EntryList penalties)
    {
        foreach (var (token, value) in query.Sampling.LogitBias ?? new Dictionary<int, float>()) bias.Add(start + token, value);
        if (query.Sampling.RepetitionPenalty == 1) return;
        foreach (int token in query.History.Span) penalties.Add(start + token, (float)query.Sampling.RepetitionPenalty);
    }

    private static void Count(in TokenQuery query, long start, EntryList discounts)
    {
        if (!query.Sampling.CountsTokens) return;
        var counts = new Dictionary<int, int>();
        foreach (int token in query.History.Span[query.CompletionStart..]) counts[token] = counts.GetValueOrDefault(token) + 1;
        foreach (var (token, count) in counts) discounts.Add(start + token, -DistributionFilters.DiscountOf(query.Sampling, count));
    }

    private sealed class EntryList
    {
        private readonly List<long> places = [];
        private readonly List<float> values = [];

        public void Add(long place, float value)
        {
            places.Add(place);
            values.Add(value);
        }

        public (Tensor Places, Tensor Values)? ToTensors(Device device) =>
            places.Count == 0 ? null : (tensor(places.ToArray()).to(device), tensor(values.ToArray()).to(device));
    }
}

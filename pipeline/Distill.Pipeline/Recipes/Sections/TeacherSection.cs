using System.Text;
using Distill.Data.Problems;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes.Binding;
using Distill.Storage;
using Distill.Teacher;
using Distill.Teacher.Remote.Batches;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Endpoint;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>teacher</c>: the model that solves the training problems, and how it is sampled. With an endpoint it runs
/// elsewhere.</summary>
internal sealed record TeacherSection : RemoteTeacherSection
{
    private const string FolderRemedy = "give the folder of an ONNX model or of a checkpoint, or an endpoint";

    [Option("folder of an ONNX model (`genai_config.json`, tokenizer) or of a checkpoint, which is run on the graph it would "
        + "be exported as, or `hf://owner/name`; with `teacher.endpoint` the name that the endpoint knows",
        Default = "required, unless `traces.from` is given", Path = PathUse.Folder, Files = ["tokenizer.json"], Remedy = FolderRemedy)]
    public string Model { get; init; } = "";

    [Option("what runs a model folder for the traces: `onnx`, Distill's own way of using ONNX Runtime, or `genai`, ONNX Runtime GenAI, "
        + "which runs one row at a time and needs a folder with `genai_config.json`")]
    public ModelEngine Engine { get; init; }

    [Option("completions per training problem", Minimum = 1, Maximum = 256)]
    public int Samples { get; init; } = 1;

    [Option("0 is greedy", Minimum = 0, Maximum = 10)]
    public double Temperature { get; init; } = 0.7;

    [Option("keep the smallest set of tokens that reaches this probability", Minimum = 0, Above = true, Maximum = 1)]
    public double TopP { get; init; } = 1;

    [Option("beside other `teachers`: the domains whose training problems it solves, as reports name them, e.g. `words`; several may solve "
        + "the same", Listed = true, Default = "all", DecidesResult = false)]
    public string? Domains { get; init; }

    [Option("longest completion; longer counts as truncated", Minimum = 1, Maximum = 1_000_000, Unit = "tokens")]
    public int MaxTokens { get; init; } = 192;

    [Option("completions decoded together; speed only; not with an endpoint", Minimum = 1, Maximum = 4096, DecidesResult = false)]
    public int Slots { get; init; } = 64;

    [Option("alternatives recorded beside each token of the teacher; needed by `soft_labels`; of an endpoint only with `teacher.token_ids`",
        Minimum = 1, Maximum = 1024, Default = "none")]
    public int? TopLogProbabilities { get; init; }

    [Option("where it runs; a card takes graphs in fp16 and bf16; not with an endpoint", Words = nameof(DeviceWords), From = "device",
        DecidesResult = false)]
    public string Device { get; init; } = DeviceChoice.Auto;

    internal static IReadOnlyList<string> DeviceWords => DeviceChoice.Words;

    [Option(Recipe.OwnSeed, Minimum = 0, Maximum = long.MaxValue, From = "seed")]
    public long Seed { get; init; }

    [Option("licence or terms of the teacher, e.g. `apache-2.0` or `openai-terms`, for cards and `publish`", Default = "not stated",
        DecidesResult = false)]
    public string Licence { get; init; } = "";

    /// <summary>Empty for all.</summary>
    internal IReadOnlyList<string> DomainNames =>
    [
        .. (Domains ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Distinct(StringComparer.Ordinal),
    ];

    /// <summary>The endpoint that runs the model; null for a model folder.</summary>
    internal RemoteTeacherSection? Remote => Endpoint.Length == 0 ? null : this;

    /// <summary>False where existing traces are taken and no teacher is named beside them.</summary>
    internal bool IsThere => Model.Length > 0;

    /// <summary>Whether it is a model folder.</summary>
    internal bool IsLocal => IsThere && Remote is null;

    /// <summary>What reports call it.</summary>
    internal string Name => Remote is null ? ModelName.Of(Model) : Model;

    public override bool IsPath(string property) => property != nameof(Model) || Remote is null;

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        .. base.Rules(recipe),
        .. Beside(((DistillationRecipe)recipe).Traces.From),
        Rule.Require(!IsLocal || ModelFolder.Announces(Model) || File.Exists(Path.Combine(Model, "config.json")), nameof(Model),
            $"{Model} has no genai_config.json, and no config.json with an ONNX file or safetensors", FolderRemedy),
        Rule.Require(Temperature > 0 || Samples == 1, nameof(Samples), "greedy samples are all equal",
            "set teacher.temperature above 0, or one sample"),
        Rule.Require(Temperature <= 1 || Batch != BatchInterface.Anthropic, nameof(Temperature), "above what anthropic takes",
            "write at most 1"),
        .. OfDomains((DistillationRecipe)recipe),
        Rule.Unused(Remote is not null, nameof(Engine), "an endpoint runs the model itself", "leave it out"),
        Rule.Unused(Remote is not null, nameof(Slots), "an endpoint has no slots", "leave it out; teacher.concurrency is an endpoint's"),
        Rule.Unused(Remote is not null, nameof(Device), "an endpoint's model runs elsewhere", "leave it out"),
        Rule.Unused(Remote is { TokenIds: false }, nameof(TopLogProbabilities), "no token ids are asked for",
            "set teacher.token_ids to true where the endpoint is a server of vLLM, leave it out otherwise"),
    ];

    // What domains files have is known when they are read.
    private IEnumerable<Rule> OfDomains(DistillationRecipe recipe)
    {
        yield return Rule.Unused(recipe.Teachers.Count == 0, nameof(Domains), "there is no other teacher, who would solve the rest",
            "leave it out, choose problems.families, or add teachers");
        string[] there =
            [.. recipe.Problems.Families.Select(share => ProblemFamilies.TryGet(share.Name)?.Domain).OfType<string>().Distinct()];
        string[] absent = recipe.Problems.HasSources ? [] : [.. DomainNames.Except(there)];
        yield return Rule.Require(absent.Length == 0, nameof(Domains), $"no family is of {string.Join(", ", absent)}",
            $"write some of {string.Join(", ", there)}");
    }

    // Existing traces need no teacher; one that is named beside them is only asked what it thinks of the student's completions.
    private IEnumerable<Rule> Beside(string? traces)
    {
        yield return Rule.Require(IsThere || traces is not null, nameof(Model), "missing", "write the path of a folder");
        yield return Rule.Require(traces is null || Remote is null, nameof(Endpoint), "traces.from takes existing traces: nothing is asked",
            "leave the endpoint or traces.from out");
        foreach (string name in (string[])[nameof(Samples), nameof(Temperature), nameof(TopP), nameof(MaxTokens), nameof(Slots),
            nameof(TopLogProbabilities), nameof(Seed), nameof(Engine)])
            yield return Rule.Unused(traces is not null, name, "traces.from takes existing traces, so nothing is generated",
                "leave it or traces.from out");
    }

    /// <summary>
    /// Under which name completions are kept and found again. Engines and devices agree on nearly every greedy token, and rounding may turn
    /// a sampled one: what one of them made is not taken for the other's.
    /// </summary>
    /// <param name="digest">Of the model.</param>
    /// <param name="device">What of the device belongs to keys; null for the processor.</param>
    internal string JournalOf(string digest, string? device)
    {
        string[] others = [.. Engine == ModelEngine.Onnx ? Array.Empty<string>() : [OptionDeclaration.Spell(Engine)],
            .. device is null ? Array.Empty<string>() : [device]];
        return others.Length == 0 ? digest : FileDigest.Of(Encoding.UTF8.GetBytes(string.Join('\0', [digest, .. others])));
    }

    internal TraceCollectionOptions ToCollectionOptions(string digest) => new()
    {
        Seed = (ulong)Seed,
        Teacher = Name,
        TeacherDigest = digest,
        Samples = Samples,
        Sampling = new SamplingOptions { Temperature = Temperature, TopP = TopP },
        MaxNewTokens = MaxTokens,
        KeepTokens = TopLogProbabilities is not null,
        TopLogProbabilities = TopLogProbabilities ?? 0,
    };

    internal override EndpointOptions ToOptions(string model) =>
        base.ToOptions(model) with { TokenAlternatives = TokenIds ? TopLogProbabilities ?? 0 : null };

    internal RemoteTraceOptions ToRemoteOptions(RemoteTeacherSection endpoint) => new()
    {
        Seed = (ulong)Seed,
        Teacher = Name,
        Address = endpoint.Endpoint,
        Instructions = endpoint.Instructions,
        Samples = Samples,
        Temperature = Temperature,
        TopP = TopP,
        MaxTokens = MaxTokens,
        SendSeed = endpoint.SendSeed,
        Concurrency = endpoint.Concurrency,
        Tokenizer = endpoint.OpenTokenizer(),
        TopLogProbabilities = endpoint.TokenIds ? TopLogProbabilities ?? 0 : 0,
    };
}

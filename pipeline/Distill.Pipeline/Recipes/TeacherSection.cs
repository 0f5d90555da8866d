using System.Text.Json.Serialization;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Teacher;
using Distill.Teacher.Remote.Collection;

namespace Distill.Pipeline.Recipes;

/// <summary><c>teacher</c>: the model that solves the training problems, and how it is sampled.</summary>
public sealed record TeacherSection
{
    /// <summary>Folder of an ONNX model (<c>genai_config.json</c>, or <c>config.json</c> and an ONNX file), relative to the recipe; with an endpoint, what that calls the model. Required.</summary>
    public required string Model { get; init; }

    /// <summary>Completions drawn for each training problem. 1..256, default 1.</summary>
    public int Samples { get; init; }

    /// <summary>0 is greedy. 0..10, default 0.7.</summary>
    public double Temperature { get; init; }

    /// <summary>Keep the smallest set of tokens reaching this probability. (0, 1], default 1.</summary>
    public double TopP { get; init; }

    /// <summary>Longest completion in tokens; what is longer counts as truncated. 1..1,000,000, default 192.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Completions decoded together; changes the speed, never the result. 1..4,096, default 64. 0 with an endpoint, which has none.</summary>
    public int Slots { get; init; }

    /// <summary>The endpoint that runs the model; null for a model folder. Its keys lie beside the others in a recipe.</summary>
    public EndpointSection? Remote { get; init; }

    /// <summary>What reports call it.</summary>
    [JsonIgnore]
    public string Name => Remote is null ? Path.GetFileName(Model) : Model;

    private const string Remedy = "give the folder of an ONNX model, or an endpoint";

    /// <summary>Alternatives recorded beside each token, for <c>soft_labels</c>; the traces grow accordingly. 1..1,024, default none.</summary>
    public int? TopLogProbabilities { get; init; }

    internal static TeacherSection Bind(SectionReader reader)
    {
        var remote = EndpointSection.Bind(reader);
        var section = new TeacherSection
        {
            Remote = remote,
            Model = remote is null ? reader.Folder("model", Remedy, "tokenizer.json") : reader.Text("model", null),
            Samples = reader.Integer("samples", 1, 1, 256),
            Temperature = reader.Number("temperature", 0.7, 0, 10),
            TopP = reader.Number("top_p", 1, 0, 1, above: true),
            MaxTokens = reader.Integer("max_tokens", 192, 1, 1_000_000),
            Slots = remote is null ? reader.Integer("slots", 64, 1, 4096) : 0,
            TopLogProbabilities = remote is null ? reader.Optional("top_log_probabilities", (r, key) => r.Integer(key, 1, 1, 1024)) : null,
        };
        reader.Require(remote is not null || section.Model.Length == 0 || ModelFolder.Announces(section.Model), "model",
            $"{section.Model} has no genai_config.json, and no config.json with an ONNX file", Remedy);
        reader.Require(section.Temperature > 0 || section.Samples == 1, "samples", "greedy samples are all equal", "set teacher.temperature above 0, or one sample");
        reader.Close();
        return section;
    }

    internal TraceCollectionOptions ToCollectionOptions(ulong seed, string digest) => new()
    {
        Seed = seed,
        Teacher = Name,
        TeacherDigest = digest,
        Samples = Samples,
        Sampling = new SamplingOptions { Temperature = Temperature, TopP = TopP },
        MaxNewTokens = MaxTokens,
        KeepTokens = TopLogProbabilities is not null,
        TopLogProbabilities = TopLogProbabilities ?? 0,
    };

    internal RemoteTraceOptions ToRemoteOptions(EndpointSection endpoint, ulong seed) => new()
    {
        Seed = seed,
        Teacher = Name,
        Address = endpoint.Endpoint,
        Instructions = endpoint.Instructions,
        Samples = Samples,
        Temperature = Temperature,
        TopP = TopP,
        MaxTokens = MaxTokens,
        SendSeed = endpoint.SendSeed,
        Concurrency = endpoint.Concurrency,
    };
}

using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>One graph of a folder with what other implementations computed with it, read from the files beside it.</summary>
internal sealed class ReferenceCase
{
    // README of the folders: what the same graph may give on another machine's instruction set.
    private const double QuantizedDifference = 0.08; // of the largest logit, where no difference was recorded
    private const double HalfDifference = 0.05;
    private const double SingleDifference = 1e-4;

    private readonly string folder;
    private readonly JsonElement root;

    public ReferenceCase(string name)
    {
        Name = name;
        folder = FixtureFolder.Require("genai", Path.GetDirectoryName(name) is { Length: > 0 } outer ? outer : name);
        string json = Path.Combine(folder, Path.GetFileName(name));
        using var document = JsonDocument.Parse(File.ReadAllText(json));
        root = document.RootElement.Clone();
        Tensors = new SafeTensorFile(Path.ChangeExtension(json, ".safetensors"));
        Prompts = [.. root.GetProperty("prompts").EnumerateArray().Select(prompt => Ints(prompt.GetProperty("ids")))];
        Greedy = [.. root.GetProperty("greedy").GetProperty("ort").EnumerateArray().Select(Ints)];
    }

    /// <summary>Every folder/reference*.json; some folders hold several graphs.</summary>
    public static IEnumerable<string> All => FixtureFolder.Cases("genai")
        .SelectMany(path => Directory.GetFiles(path, "reference*.json").Order(StringComparer.Ordinal)
            .Select(file => $"{Path.GetFileName(path)}/{Path.GetFileName(file)}"));

    public static TheoryData<string> Names => FixtureFolder.Rows(All);

    /// <summary>Those of folders with a genai_config.json.</summary>
    public static IEnumerable<string> OfGenAI => FixtureFolder.Cases("genai")
        .Where(path => File.Exists(Path.Combine(path, ModelFolder.ConfigurationFile)))
        .SelectMany(path => All.Where(name => Path.GetDirectoryName(name) == Path.GetFileName(path)));
    /// <summary>Those whose graph appends to the cache in place.</summary>
    public static TheoryData<string> NamesOfSharedCaches => FixtureFolder.Rows(All.Where(name => new ReferenceCase(name).SharesCache));

    public string Name { get; }

    public SafeTensorFile Tensors { get; }

    public int[][] Prompts { get; }

    public int[][] Greedy { get; }

    public int Steps => root.GetProperty("steps").GetInt32();

    public int[] StopTokens => Ints(root.GetProperty("stop_ids"));

    /// <summary>The graph gives the logits of the last position only.</summary>
    public bool LastOnly => root.GetProperty("graph").GetProperty("outputs").EnumerateArray()
        .Any(output => output[0].GetString() == "logits" && output[2][1].ValueKind == JsonValueKind.Number);

    public bool SharesCache => Open().Facts.SharesCache;

    /// <summary>Integer weights: another instruction set may round activations another way.</summary>
    public bool IsQuantized =>
        root.GetProperty("graph").GetProperty("operators").EnumerateObject().Any(item => item.Name is "MatMulNBits" or "DequantizeLinear");

    /// <summary>Largest difference of a logit that is no fault.</summary>
    public double Tolerance => IsQuantized
        ? root.GetProperty("checks").TryGetProperty("max_abs_ort_minus_dense", out JsonElement dense)
            ? dense.GetDouble()
            : QuantizedDifference * LargestLogit
        : root.GetProperty("precision").GetString() == "fp16" ? HalfDifference
        : SingleDifference * LargestLogit;

    /// <summary>
    /// Largest difference of a logit by how many rows run together: none, but where kernels of weights in blocks choose their way by the
    /// number of rows, as ONNX Runtime's do on processors without AVX-512.
    /// </summary>
    public double RowTolerance => IsQuantized && !Avx512F.IsSupported || Path.GetDirectoryName(Name) == "llama-int4-b128-asym"
        ? Tolerance : 0;

    private double LargestLogit => root.GetProperty("checks").GetProperty("max_abs_logit").GetDouble();

    /// <summary>Prompts run as one ragged batch, and their tokens; none where the reference has none.</summary>
    public IEnumerable<(int Prompt, int[] Tokens)> Batch =>
        root.GetProperty("batch4") is var batch && batch.TryGetProperty("ort", out JsonElement rows)
            && rows.ValueKind == JsonValueKind.Array
        ? Ints(batch.GetProperty("prompts")).Zip(rows.EnumerateArray().Select(Ints))
        : [];

    public OnnxTokenModel Load() => OnnxTokenModel.Load(Open(), new OnnxModelOptions { IntraOpThreads = 1 });

    /// <summary>With cache and logits in libtorch's memory, on the CPU.</summary>
    public TorchTokenModel LoadInTorch() => TorchTokenModel.Load(Open(), new OnnxModelOptions { IntraOpThreads = 1 });

    public ModelFolder Open() => ModelFolder.Open(folder, root.GetProperty("graph_file").GetString());

    public GenerationRequest Request(int prompt) =>
        new() { Prompt = Prompts[prompt], MaxNewTokens = Steps, StopTokens = StopTokens, Seeds = [0] };

    /// <summary>
    /// Tokens that a run must share with the reference: all, or, where logits differed by <paramref name="difference"/> already,
    /// those before the first that such a difference may turn.
    /// </summary>
    public int[] Firm(int prompt, double difference)
    {
        if (!IsQuantized) return Greedy[prompt];
        int unsure = Array.FindIndex(Tensors.Floats($"greedy.margins.{prompt}"), margin => margin <= 2 * difference);
        return unsure < 0 ? Greedy[prompt] : Greedy[prompt][..unsure];
    }

    /// <summary>Logits of every position, or of the last where the graph gives no others.</summary>
    public float[] Logits(IDecodeSession session, ITokenModel model, int prompt)
    {
        float[] logits = new float[(LastOnly ? 1 : Prompts[prompt].Length) * model.VocabularySize];
        session.Clear(0);
        session.Prefill(0, Prompts[prompt], logits);
        return logits;
    }

    /// <summary>Largest difference from stored logits [positions, vocab].</summary>
    public double Difference(float[] logits, string stored, int prompt, int vocabulary)
    {
        float[] expected = Tensors.Floats($"{stored}.{prompt}");
        long[] positions = Tensors.Longs($"positions.{prompt}");
        double largest = 0;
        for (int p = 0; p < positions.Length; p++)
        {
            int row = LastOnly ? 0 : (int)positions[p];
            for (int token = 0; token < vocabulary; token++)
                largest = Math.Max(largest, Math.Abs(logits[(row * vocabulary) + token] - expected[(p * vocabulary) + token]));
        }

        return largest;
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];
}

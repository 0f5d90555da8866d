using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Distill.Benchmarks.Generation;
using Distill.Benchmarks.Measuring;
using Distill.Benchmarks.Workloads;
using Distill.Generation;
using Distill.Generation.Onnx;

namespace Distill.Benchmarks.Peers;

/// <summary>transformers.js on the same ONNX file, in turns with Distill.</summary>
internal static class TransformersComparison
{
    private const int Prompts = 4;
    private static readonly int[] Batches = [1, 8, 32];

    public static IReadOnlyList<Figure> Run(BenchmarkContext context)
    {
        using var folder = new TemporaryFolder();
        string promptFile = Path.Combine(folder.Path, "prompts.json");
        using var loaded = context.Large.Load();
        using var model = new TimedTokenModel(loaded, context.Clock);
        int[][] prompts = [.. Enumerable.Range(0, Prompts).Select(i => DecodeRun.PromptOf(model, i))];
        File.WriteAllText(promptFile, JsonSerializer.Serialize(prompts));
        int steps = context.Quick ? 4 : 33;
        int end = ModelFolder.Open(context.Large.OnnxFolder).Configuration.EosTokenIds[0];
        var ours = new List<double[]>();
        var theirs = new List<PeerRun>();
        for (int round = 0; round <= Math.Min(context.Rounds, 3); round++)
        {
            double[] rates = [.. Batches.Select(batch => DecodeRun.Measure(context, model, batch, steps - 1).TokensPerSecond)];
            var peer = PeerRun.Start(context.Large.OnnxFolder, promptFile, steps, Batches);
            if (round == 0 && !context.Quick) continue; // warms up
            ours.Add(rates);
            theirs.Add(peer);
        }

        int mismatches = Mismatches(loaded, prompts, steps, end, theirs[0].Tokens);
        return
        [
            .. Batches.SelectMany((batch, i) => Compare(
                batch, Series.Of(ours, rates => rates[i]), Series.Of(theirs, run => run.TokensPerSecond[batch]), theirs[0].Version)),
            Figure.Exactly("greedy tokens that differ from transformers.js", 0, Series.Of(mismatches), "",
                $"{Prompts} prompts, {steps} tokens each, end token forbidden in both"),
        ];
    }

    private static Figure[] Compare(int batch, Series ours, Series theirs, string version) =>
    [
        Figure.Plain($"Distill, {batch} rows", ours, "tokens/s", "temperature 1, ragged prompts"),
        Figure.Plain($"transformers.js, {batch} rows", theirs, "tokens/s", $"{version}, greedy, equal prompts"),
        Figure.Plain($"Distill ÷ transformers.js, {batch} rows", ours.Over(theirs), "×"),
    ];

    private static int Mismatches(ITokenModel model, int[][] prompts, int steps, int end, IReadOnlyList<int[]> expected)
    {
        var sampling = new SamplingOptions { LogitBias = new Dictionary<int, float> { [end] = float.NegativeInfinity } };
        var completions = new BatchGenerator(model).Complete([.. prompts.Select(prompt =>
            new GenerationRequest { Prompt = prompt, MaxNewTokens = steps, Sampling = sampling, Seeds = [0] })]);
        return completions.Select((completion, i) => completion[0].Tokens.Zip(expected[i]).Count(pair => pair.First != pair.Second)).Sum();
    }
}

/// <summary>What transformers.js says of the same ONNX file, in a process of its own.</summary>
/// <param name="TokensPerSecond">By batch size, prompts left out.</param>
/// <param name="Tokens">[prompt][token]: greedy, the end token forbidden.</param>
/// <param name="Version">Of transformers.js.</param>
internal sealed record PeerRun(IReadOnlyDictionary<int, double> TokensPerSecond, IReadOnlyList<int[]> Tokens, string Version)
{
    private static readonly string Folder = Repository.PathOf("pipeline/Distill.Benchmarks/Peers");

    private static readonly JsonSerializerOptions CamelCase = new(JsonSerializerDefaults.Web);

    /// <param name="promptFile">JSON: arrays of token ids.</param>
    /// <exception cref="WorkloadAbsentException">Node or the package is not installed.</exception>
    public static PeerRun Start(string modelFolder, string promptFile, int steps, params IReadOnlyList<int> batches)
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules", "@huggingface", "transformers")))
            throw new WorkloadAbsentException(
                "transformers.js is not installed; run: npm install --prefix pipeline/Distill.Benchmarks/Peers");
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, WorkingDirectory = Folder };
        foreach (
            string argument in (string[])["transformers.mjs", modelFolder, promptFile, $"{steps}",
                string.Join(',', batches)]) start.ArgumentList.Add(argument);
        using var node = Open(start);
        string output = node.StandardOutput.ReadToEnd();
        node.WaitForExit();
        if (node.ExitCode != 0) throw new InvalidOperationException($"transformers.js ended with {node.ExitCode}.");
        return JsonSerializer.Deserialize<PeerRun>(output.TrimEnd().Split('\n')[^1], CamelCase)!;
    }

    private static Process Open(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            throw new WorkloadAbsentException("node is not installed");
        }
    }
}

using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Distill.Benchmarks.Workloads;

namespace Distill.Benchmarks.Peers;

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
            throw new WorkloadAbsentException("transformers.js is not installed; run: npm install --prefix pipeline/Distill.Benchmarks/Peers");
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, WorkingDirectory = Folder };
        foreach (string argument in (string[])["transformers.mjs", modelFolder, promptFile, $"{steps}", string.Join(',', batches)]) start.ArgumentList.Add(argument);
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

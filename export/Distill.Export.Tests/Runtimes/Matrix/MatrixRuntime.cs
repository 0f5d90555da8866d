using System.Diagnostics;
using System.Text.Json;
using Distill.Export.Gguf;
using Distill.Export.Runtimes;
using Distill.Export.Tests.Support;
using Distill.Generation;
using Distill.Generation.GenAI;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Runtimes.Matrix;

/// <summary>A column of the matrix: something that decodes greedily from exported folders.</summary>
/// <param name="Name">As in the table.</param>
/// <param name="Rounding">
/// What its own rounding may move logits of a folder by, as a share of the largest.
/// </param>
internal abstract record MatrixRuntime(string Name, Func<MatrixFolder, double> Rounding)
{
    public static IReadOnlyList<MatrixRuntime> All { get; } =
        [new EngineRuntime(), new GenAIRuntime(), new NodeRuntime(), new BrowserRuntime("wasm"), new BrowserRuntime("webgpu"),
            new LlamaRuntime()];

    /// <summary>Why it cannot be asked here; null where it can.</summary>
    public virtual string? Absence => null;

    /// <summary>Whether the folder is tried in it; what all of them take too long for tries some.</summary>
    public virtual bool Tries(MatrixFolder folder) => true;

    /// <returns>For each folder its rows of tokens, or what went wrong.</returns>
    public abstract Task<IReadOnlyList<MatrixReply>> RunAsync(IReadOnlyList<MatrixFolder> folders, CancellationToken cancellation);

    public override string ToString() => Name;

    /// <summary>How long a process may take for all folders before it is ended, with whatever it started.</summary>
    protected static TimeSpan Limit => TimeSpan.FromMinutes(30);

    protected static double Usual(MatrixFolder folder) =>
        folder.Format.Options.Precision == ExportPrecision.Single && folder.Format.Type != "q8" ? 1e-4
        : folder.Format.Options.Precision == ExportPrecision.Half ? 0.01 : 0.02;

    // Products of whole numbers in other kernels: what is rounded to int8 in one is not in the other, and each of the two logits that
    // compete may have moved by that.
    protected static double Coarse(MatrixFolder folder) =>
        folder.Format.BlockBits is not null || folder.Format.Type == "q8" ? Math.Max(0.05, 2 * folder.Rounding) : Usual(folder);
}

/// <summary>Rows of tokens, or a fault.</summary>
internal sealed record MatrixReply(IReadOnlyList<int[]>? Result, string? Fault)
{
    public static MatrixReply Of(Func<IReadOnlyList<int[]>> run)
    {
        try
        {
            return new(run(), null);
        }
        catch (InvalidDataException fault)
        {
            return new(null, fault.Message);
        }
    }
}

internal sealed record EngineRuntime() : MatrixRuntime("Distill", Usual)
{
    public override Task<IReadOnlyList<MatrixReply>> RunAsync(IReadOnlyList<MatrixFolder> folders, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<MatrixReply>>([.. folders.Select(folder => MatrixReply.Of(() => Decode(folder)))]);

    private static int[][] Decode(MatrixFolder folder)
    {
        using var model = OnnxTokenModel.Load(
            ModelFolder.Open(folder.Path, $"onnx/{folder.Format.Graph}"), new OnnxModelOptions { IntraOpThreads = 1 });
        return Rows(model, folder, folder.Format.Type == "q8" ? 1 : folder.Prompts.Count); // one scale for the whole batch
    }

    /// <param name="slots">Prompts decoded at once.</param>
    public static int[][] Rows(ITokenModel model, MatrixFolder folder, int slots) =>
    [
        .. new BatchGenerator(model, slots: slots).Complete(
            [.. folder.Prompts.Select(prompt => new GenerationRequest { Prompt = prompt, MaxNewTokens = folder.Steps, Seeds = [0] })])
            .Select(rows => rows[0].Tokens.ToArray()),
    ];
}

internal sealed record GenAIRuntime() : MatrixRuntime("ONNX Runtime GenAI", Usual)
{
    public override Task<IReadOnlyList<MatrixReply>> RunAsync(IReadOnlyList<MatrixFolder> folders, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<MatrixReply>>([.. folders.Select(folder => MatrixReply.Of(() => Decode(folder)))]);

    private static int[][] Decode(MatrixFolder folder)
    {
        if (folder.Format.Graph == ExportPrecisions.DynamicInt8File) throw new InvalidDataException("genai_config.json names one graph.");
        using var model = GenAITokenModel.Load(folder.Path, new OnnxModelOptions { IntraOpThreads = 1 });
        return EngineRuntime.Rows(model, folder, folder.Prompts.Count);
    }
}

internal sealed record NodeRuntime() : MatrixRuntime("transformers.js in Node", Coarse)
{
    private readonly TransformersRuntime? runtime = TransformersRuntime.Find();

    public override string? Absence => runtime is null ? TransformersRuntime.Absence : null;

    public override async Task<IReadOnlyList<MatrixReply>> RunAsync(IReadOnlyList<MatrixFolder> folders, CancellationToken cancellation)
    {
        var jobs = folders.Select(folder => new GreedyJob(folder.Path, folder.Prompts, folder.Steps, folder.Format.Type, 1));
        var replies = await runtime!.GreedyEachAsync([.. jobs], Limit, cancellation);
        return [.. replies.Select(reply => new MatrixReply(reply.Result, reply.Fault))];
    }
}

/// <summary>transformers.js in Chromium: all folders in one browser.</summary>
/// <param name="Device">wasm or webgpu.</param>
internal sealed record BrowserRuntime(string Device)
    : MatrixRuntime($"transformers.js in a browser, {(Device == "wasm" ? "WebAssembly" : "WebGPU")}", Coarse)
{
    private const string Browser = "/usr/bin/chromium";

    // Shaders are compiled on a processor here, seconds for every graph.
    private static readonly string[] s_few = ["qwen3"];

    private static readonly string? s_modules = Environment.GetEnvironmentVariable(TransformersRuntime.Variable);

    public override string? Absence => TransformersRuntime.Find() is null ? TransformersRuntime.Absence
        : !Directory.Exists(Path.Combine(s_modules ?? "", "node_modules", "playwright-core")) ? "playwright-core is not at hand."
        : !File.Exists(Browser) ? $"No browser at {Browser}."
        : null;

    public override bool Tries(MatrixFolder folder) => Device == "wasm" || s_few.Contains(folder.Family);

    public override async Task<IReadOnlyList<MatrixReply>> RunAsync(IReadOnlyList<MatrixFolder> folders, CancellationToken cancellation)
    {
        string script = Path.Combine(RepositoryFolder.Root, "export/Distill.Export.Tests/Runtimes/browser.mjs");
        var start = new ProcessStartInfo("node")
            { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string word in (string[])[script, s_modules!, Browser]) start.ArgumentList.Add(word);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Limit);
        using var process = Process.Start(start)!;
        try
        {
            return await AskAsync(process, folders, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"The browser did not answer within {Limit.TotalMinutes:0} minutes.");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private async Task<IReadOnlyList<MatrixReply>> AskAsync(
        Process process, IReadOnlyList<MatrixFolder> folders, CancellationToken cancellation)
    {
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        var jobs = folders.Select(folder => new
        {
            folder = folder.Path, dtype = folder.Format.Type, device = Device, prompts = folder.Prompts, maxNewTokens = folder.Steps,
        });
        await process.StandardInput.WriteAsync(JsonSerializer.Serialize(jobs).AsMemory(), cancellation);
        process.StandardInput.Close();
        string[] lines = (await process.StandardOutput.ReadToEndAsync(cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(folders.Count, await errors);
        return [.. lines.Select(line => JsonSerializer.Deserialize<MatrixReply>(line, JsonSerializerOptions.Web)!)];
    }
}

/// <summary>
/// LLamaSharp, which is llama.cpp, with a GGUF file of the same checkpoint. Its blocks are other numbers than those of the ONNX file:
/// scales are fp16, 8 bits reach from −127, and activations are rounded to 8 bits before products.
/// </summary>
internal sealed record LlamaRuntime() : MatrixRuntime("LLamaSharp", Apart)
{
    // A model 64 wide feels the rounding of its activations so much that one random token cannot be told from another.
    public override bool Tries(MatrixFolder folder) => folder.Format.Gguf is not (GgufPrecision.Block8 or GgufPrecision.Block4)
        || folder.GgufFault is not null || folder.Family == RuntimeMatrixTests.RealModel;

    public override Task<IReadOnlyList<MatrixReply>> RunAsync(IReadOnlyList<MatrixFolder> folders, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<MatrixReply>>([.. folders.Select(folder => MatrixReply.Of(() => Decode(folder)))]);

    private static int[][] Decode(MatrixFolder folder)
    {
        if (folder.GgufFault is { } fault) throw new InvalidDataException(fault);
        using var model = LlamaModel.Load(folder.GgufPath);
        return [.. folder.Prompts.Select(prompt => model.Greedy(prompt, folder.Steps).Tokens)];
    }

    private static double Apart(MatrixFolder folder) =>
        folder.Format.Gguf is GgufPrecision.Block8 or GgufPrecision.Block4 ? 0.06 : Usual(folder);
}

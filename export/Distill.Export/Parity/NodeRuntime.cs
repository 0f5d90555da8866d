using Distill.Export.Runtimes;

namespace Distill.Export.Parity;

/// <summary>transformers.js in Node over an exported folder. Every call is a process that loads the model anew.</summary>
/// <param name="dtype">As <see cref="ExportPrecisions.BrowserName"/>; null: what the folder says.</param>
internal sealed class NodeRuntime(TransformersRuntime runtime, string folder, string? dtype) : IExportedRuntime
{
    public const string RuntimeName = "transformers.js";

    public string Name => RuntimeName;

    /// <exception cref="IOException">node could not be started, ended without an answer, or took too long.</exception>
    /// <inheritdoc/>
    public IReadOnlyList<IReadOnlyList<int>> Greedy(
        IReadOnlyList<IReadOnlyList<int>> prompts, int maxNewTokens, IReadOnlyList<int> stopTokens, CancellationToken cancellation) =>
        runtime.GreedyAsync(folder, prompts, maxNewTokens, dtype, cancellation: cancellation).GetAwaiter().GetResult();

    /// <inheritdoc cref="Greedy" path="/exception"/>
    public IReadOnlyList<IReadOnlyList<int>>? Encode(IReadOnlyList<string> texts, CancellationToken cancellation) =>
        runtime.EncodeAsync(folder, texts, cancellation).GetAwaiter().GetResult();

    public void Dispose()
    {
    }
}

using Distill.Export.Parity;
using Distill.Generation;
using Distill.Generation.GenAI;
using Distill.Generation.Onnx;

namespace Distill.Pipeline.Models;

/// <summary>
/// ONNX Runtime GenAI over an exported folder, loaded when it is first asked. Dispose it.
/// </summary>
internal sealed class GenAIRuntime(ModelFolder folder, OnnxModelOptions options) : IExportedRuntime
{
    public const string RuntimeName = "genai";

    private GenAITokenModel? model;

    public string Name => RuntimeName;

    public IReadOnlyList<IReadOnlyList<int>> Greedy(
        IReadOnlyList<IReadOnlyList<int>> prompts, int maxNewTokens, IReadOnlyList<int> stopTokens, CancellationToken cancellation)
    {
        model ??= GenAITokenModel.Load(folder, options);
        var rows = new List<IReadOnlyList<int>>();
        foreach (var prompt in prompts)
        {
            cancellation.ThrowIfCancellationRequested();
            var request = new GenerationRequest { Prompt = prompt, MaxNewTokens = maxNewTokens, StopTokens = stopTokens, Seeds = [0] };
            rows.Add(new BatchGenerator(model, slots: 1).Complete([request], cancellation: cancellation)[0][0].Tokens);
        }

        return rows;
    }

    public IReadOnlyList<IReadOnlyList<int>>? Encode(IReadOnlyList<string> texts, CancellationToken cancellation)
    {
        model ??= GenAITokenModel.Load(folder, options);
        using var tokenizer = model.OpenTokenizer();
        return [.. texts.Select(tokenizer.Encode)];
    }

    public void Dispose() => model?.Dispose();
}

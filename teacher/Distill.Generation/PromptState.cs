namespace Distill.Generation;

/// <summary>A request being served: its prompt is in the cache of at least one slot as long as any of its rows lives.</summary>
internal sealed class PromptState(int index, GenerationRequest request, int vocabularySize, int maxLength)
{
    private int nextSeed;

    public int Index => index;

    public GenerationRequest Request => request;

    /// <summary>Logits after the prompt, [vocab]: where every seed starts.</summary>
    public float[] Logits { get; } = new float[vocabularySize];

    public int[] Prompt { get; } = [.. request.Prompt];

    /// <summary>New tokens that the request and the model's length allow. Not the session's: results must not depend on that.</summary>
    public int Limit { get; } = Math.Min(request.MaxNewTokens, maxLength - request.Prompt.Count);

    public bool HasSeeds => nextSeed < request.Seeds.Count;

    public GenerationRow NextRow() => new(this, nextSeed++);
}

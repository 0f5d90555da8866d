namespace Distill.Generation.Testing;

/// <summary>Writes the logits, [vocab], that follow a sequence.</summary>
public delegate void LogitScript(ReadOnlySpan<int> sequence, Span<float> logits);

/// <summary>A model whose logits a test dictates as a function of the whole sequence: no cache to be wrong, so any engine fault shows.</summary>
public sealed class ScriptedTokenModel(int vocabularySize, int maxLength, LogitScript script) : ITokenModel
{
    public int VocabularySize => vocabularySize;

    public int MaxLength => maxLength;

    /// <summary>Sessions opened so far, disposed ones included.</summary>
    public List<ScriptedDecodeSession> Sessions { get; } = [];

    public IDecodeSession Open(int slots, int maxLength)
    {
        var session = new ScriptedDecodeSession(this, slots, maxLength);
        lock (Sessions) Sessions.Add(session);
        return session;
    }

    public void Dispose()
    {
    }

    internal void Write(ReadOnlySpan<int> sequence, Span<float> logits) => script(sequence, logits);
}

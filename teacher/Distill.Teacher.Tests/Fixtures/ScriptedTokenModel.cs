using System.Runtime.InteropServices;
using Distill.Generation;

namespace Distill.Teacher.Tests.Fixtures;

/// <summary>Writes the logits, [vocab], that follow a sequence.</summary>
internal delegate void LogitScript(ReadOnlySpan<int> sequence, Span<float> logits);

/// <summary>
/// A model whose logits a test dictates as a function of the whole sequence: no cache to be wrong, so any engine fault shows.
/// </summary>
internal sealed class ScriptedTokenModel(int vocabularySize, int maxLength, LogitScript script) : ITokenModel
{
    /// <summary>A script whose tokens take a millisecond each: a million of them are not over before a test has looked.</summary>
    public static LogitScript Slowly(LogitScript script) => (sequence, logits) =>
    {
        Thread.Sleep(1);
        script(sequence, logits);
    };

    public int VocabularySize => vocabularySize;

    public int MaxLength => maxLength;

    /// <summary>Places of a joint run over several prompts; 0 for a backend that has none.</summary>
    public int JointPlaces { get; init; } = 24;

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

/// <summary>A session of a <see cref="ScriptedTokenModel"/>: keeps each slot's tokens, counts calls, refuses misuse.</summary>
internal sealed class ScriptedDecodeSession : IPromptSession
{
    private readonly ScriptedTokenModel model;
    private readonly List<int>[] sequences;
    private volatile bool cancelled;

    internal ScriptedDecodeSession(ScriptedTokenModel model, int slots, int maxLength)
    {
        this.model = model;
        MaxLength = maxLength;
        sequences = [.. Enumerable.Range(0, slots).Select(_ => new List<int>())];
    }

    public int Slots => sequences.Length;

    public int MaxLength { get; }

    /// <summary>Shorter than the parts of a long text, so that both ways are taken.</summary>
    public int MostPositions => 200;

    public int MostJointPlaces => model.JointPlaces;

    public bool CanJoin(int length) => length % 13 != 12;

    public int Prefills { get; private set; }

    /// <summary>Lengths of the prompts of each joint run.</summary>
    public List<int[]> JointRuns { get; } = [];

    public int Copies { get; private set; }

    public int Steps { get; private set; }

    public bool Disposed { get; private set; }

    public int Length(int slot) => sequences[slot].Count;

    public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
    {
        Prefills++;
        bool everyPosition = logits.Length == tokens.Length * model.VocabularySize;
        if (!everyPosition && logits.Length != model.VocabularySize)
            throw new ArgumentException("Logits must hold one position or all.", nameof(logits));
        for (int i = 0; i < tokens.Length; i++)
        {
            Append(slot, tokens[i]);
            if (everyPosition) Write(slot, logits.Slice(i * model.VocabularySize, model.VocabularySize));
        }

        if (!everyPosition) Write(slot, logits);
    }

    public ReadOnlySpan<float> Prefill(int slot, ReadOnlySpan<int> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens.Length, MostPositions, nameof(tokens));
        float[] logits = new float[tokens.Length * model.VocabularySize];
        Prefill(slot, tokens, logits);
        return logits;
    }

    public void Prefill(int first, IReadOnlyList<int[]> prompts, Span<float> logits)
    {
        JointRuns.Add([.. prompts.Select(prompt => prompt.Length)]);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prompts.Count * prompts.Max(prompt => prompt.Length), MostJointPlaces);
        for (int i = 0; i < prompts.Count; i++)
        {
            if (sequences[first + i].Count > 0) throw new InvalidOperationException($"Slot {first + i} is not empty.");
            foreach (int token in prompts[i]) Append(first + i, token);
            Write(first + i, logits.Slice(i * model.VocabularySize, model.VocabularySize));
        }
    }

    public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        Steps++;
        for (int slot = 0; slot < tokens.Length; slot++)
        {
            Append(slot, tokens[slot]);
            Write(slot, logits.Slice(slot * model.VocabularySize, model.VocabularySize));
        }
    }

    public void Copy(int from, int to, int length)
    {
        Copies++;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, sequences[from].Count);
        if (from == to) throw new ArgumentException("A slot cannot be copied onto itself.", nameof(to));
        sequences[to] = sequences[from][..length];
    }

    public void Truncate(int slot, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, sequences[slot].Count);
        sequences[slot].RemoveRange(length, sequences[slot].Count - length);
    }

    public void Clear(int slot) => Truncate(slot, 0);

    public void Cancel() => cancelled = true;

    public void Dispose() => Disposed = true;

    private void Append(int slot, int token)
    {
        ObjectDisposedException.ThrowIf(Disposed, this);
        if (cancelled) throw new OperationCanceledException();
        if (sequences[slot].Count == MaxLength) throw new InvalidOperationException($"Slot {slot} is full at {MaxLength} tokens.");
        sequences[slot].Add(token);
    }

    private void Write(int slot, Span<float> logits) => model.Write(CollectionsMarshal.AsSpan(sequences[slot]), logits);
}

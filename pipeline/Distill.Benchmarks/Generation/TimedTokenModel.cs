using Distill.Generation;

namespace Distill.Benchmarks.Generation;

/// <summary>Seconds spent inside a backend.</summary>
/// <param name="Opening">Allocating and freeing sessions.</param>
internal readonly record struct BackendTimes(double Opening, double Prefilling, double Stepping, double Copying);

/// <summary>
/// Passes everything through and notes how long the backend took for it. One session at a time. The model stays the caller's.
/// </summary>
internal sealed class TimedTokenModel(ITokenModel model, TimeProvider clock) : ITokenModel
{
    private BackendTimes times;

    public int VocabularySize => model.VocabularySize;

    public int MaxLength => model.MaxLength;

    /// <summary>Since the last call of this.</summary>
    public BackendTimes TakeTimes()
    {
        var taken = times;
        times = default;
        return taken;
    }

    public IDecodeSession Open(int slots, int maxLength)
    {
        long began = clock.GetTimestamp();
        var session = new TimedSession(this, model.Open(slots, maxLength));
        times = times with { Opening = times.Opening + Since(began) };
        return session;
    }

    public void Dispose()
    {
    }

    private double Since(long began) => clock.GetElapsedTime(began).TotalSeconds;

    private sealed class TimedSession(TimedTokenModel owner, IDecodeSession session) : IPromptSession
    {
        public int Slots => session.Slots;

        public int MaxLength => session.MaxLength;

        public int MostPositions => (session as IPromptSession)?.MostPositions ?? 0;

        public int MostJointPlaces => (session as IPromptSession)?.MostJointPlaces ?? 0;

        public int Length(int slot) => session.Length(slot);

        public bool CanJoin(int length) => (session as IPromptSession)?.CanJoin(length) ?? false;

        public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
        {
            long began = owner.Now;
            session.Prefill(slot, tokens, logits);
            owner.times = owner.times with { Prefilling = owner.times.Prefilling + owner.Since(began) };
        }

        public ReadOnlySpan<float> Prefill(int slot, ReadOnlySpan<int> tokens)
        {
            long began = owner.Now;
            ReadOnlySpan<float> logits = ((IPromptSession)session).Prefill(slot, tokens);
            owner.times = owner.times with { Prefilling = owner.times.Prefilling + owner.Since(began) };
            return logits;
        }

        public void Prefill(int first, IReadOnlyList<int[]> prompts, Span<float> logits)
        {
            long began = owner.Now;
            ((IPromptSession)session).Prefill(first, prompts, logits);
            owner.times = owner.times with { Prefilling = owner.times.Prefilling + owner.Since(began) };
        }

        public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
        {
            long began = owner.Now;
            session.Step(tokens, logits);
            owner.times = owner.times with { Stepping = owner.times.Stepping + owner.Since(began) };
        }

        public void Copy(int from, int to, int length)
        {
            long began = owner.Now;
            session.Copy(from, to, length);
            owner.times = owner.times with { Copying = owner.times.Copying + owner.Since(began) };
        }

        public void Truncate(int slot, int length) => session.Truncate(slot, length);

        public void Clear(int slot) => session.Clear(slot);

        public void Cancel() => session.Cancel();

        public void Dispose()
        {
            long began = owner.Now;
            session.Dispose();
            owner.times = owner.times with { Opening = owner.times.Opening + owner.Since(began) };
        }
    }

    private long Now => clock.GetTimestamp();
}

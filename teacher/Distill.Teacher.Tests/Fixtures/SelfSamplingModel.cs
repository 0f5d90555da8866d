using Distill.Generation;

namespace Distill.Teacher.Tests.Fixtures;

/// <summary>
/// A scripted model whose sessions choose tokens themselves, by the host's own sampler: what the engine makes of such sessions must then be
/// exactly what it makes of others. Whoever asks for logits beside it is told that there are none.
/// </summary>
internal sealed class SelfSamplingModel(ScriptedTokenModel model) : ITokenModel
{
    public int VocabularySize => model.VocabularySize;

    public int MaxLength => model.MaxLength;

    /// <summary>Calls that chose tokens, over all sessions.</summary>
    public int Choices { get; private set; }

    public IDecodeSession Open(int slots, int maxLength) => new Session(this, model.Open(slots, maxLength), model.VocabularySize);

    public void Dispose() => model.Dispose();

    private sealed class Session(SelfSamplingModel owner, IDecodeSession session, int vocabulary) : ISamplingSession
    {
        private readonly float[][] prompts = [.. Enumerable.Range(0, session.Slots).Select(_ => new float[vocabulary])];
        private readonly float[] rows = new float[session.Slots * vocabulary];
        private int stepped;

        public int Slots => session.Slots;

        public int MaxLength => session.MaxLength;

        public int Length(int slot) => session.Length(slot);

        public void Prefill(int slot, ReadOnlySpan<int> tokens) => session.Prefill(slot, tokens, prompts[slot]);

        public void Score(int slot, ReadOnlySpan<int> tokens, ReadOnlySpan<int> following, FollowingScores scores)
        {
            float[] all = new float[tokens.Length * vocabulary];
            session.Prefill(slot, tokens, all);
            all.AsSpan(all.Length - vocabulary).CopyTo(prompts[slot]);
            var best = new TopTokens();
            for (int i = 0; i < following.Length; i++)
            {
                ReadOnlySpan<float> row = all.AsSpan(i * vocabulary, vocabulary);
                double normalizer = LogSoftmax.Normalizer(row);
                scores.LogProbabilities.Span[i] = row[following[i]] - normalizer;
                best.Ids(best.Select(row, scores.Top)).CopyTo(scores.TopIds.Span[(i * scores.Top)..]);
                for (int rank = 0; rank < scores.Top; rank++)
                {
                    int place = (i * scores.Top) + rank;
                    scores.TopValues.Span[place] = (float)(row[scores.TopIds.Span[place]] - normalizer);
                }
            }
        }

        public void Step(ReadOnlySpan<int> tokens)
        {
            stepped = tokens.Length;
            session.Step(tokens, rows.AsSpan(0, stepped * vocabulary));
        }

        public void ChooseNext(ReadOnlySpan<TokenQuery> queries, TokenAnswers answers)
        {
            queries.Length.ShouldBe(stepped);
            Begin(queries, answers);
            for (int i = 0; i < queries.Length; i++) Choose(rows.AsSpan(i * vocabulary, vocabulary), queries[i], answers, i);
        }

        public void ChooseFirst(int promptSlot, ReadOnlySpan<TokenQuery> queries, TokenAnswers answers)
        {
            Begin(queries, answers);
            for (int i = 0; i < queries.Length; i++) Choose(prompts[promptSlot], queries[i], answers, i);
        }

        public void CopyNext(int slot, Span<float> logits) => rows.AsSpan(slot * vocabulary, vocabulary).CopyTo(logits);

        public void CopyFirst(int promptSlot, Span<float> logits) => prompts[promptSlot].CopyTo(logits);

        public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits) =>
            throw new InvalidOperationException("Logits were asked for.");

        public void Step(ReadOnlySpan<int> tokens, Span<float> logits) => throw new InvalidOperationException("Logits were asked for.");

        public void Copy(int from, int to, int length) => session.Copy(from, to, length);

        public void Truncate(int slot, int length) => session.Truncate(slot, length);

        public void Clear(int slot) => session.Clear(slot);

        public void Cancel() => session.Cancel();

        public void Dispose() => session.Dispose();

        private void Begin(ReadOnlySpan<TokenQuery> queries, TokenAnswers answers)
        {
            owner.Choices++;
            int top = 0;
            foreach (var query in queries) top = Math.Max(top, query.Top);
            answers.Resize(queries.Length, top);
        }

        private void Choose(ReadOnlySpan<float> logits, in TokenQuery query, TokenAnswers answers, int row)
        {
            float largest = logits[0];
            foreach (float logit in logits) largest = float.IsNaN(logit) ? logit : Math.Max(largest, logit);
            if (!float.IsFinite(largest))
            {
                answers.Set(row, largest, default);
                return;
            }

            var sampler = new Sampler(vocabulary);
            var choice = sampler.Choose(logits, query.Sampling, query.History.Span, query.Uniform, query.CompletionStart);
            answers.Set(row, largest, choice);
            int[] ids = new int[answers.Top];
            float[] raw = new float[ids.Length], processed = new float[ids.Length];
            sampler.CopyTop(logits, query.Sampling.IsGreedy ? choice.Token : null, ids, raw, processed);
            for (int rank = 0; rank < ids.Length; rank++) answers.SetTop(row, rank, ids[rank], raw[rank], processed[rank]);
        }
    }
}

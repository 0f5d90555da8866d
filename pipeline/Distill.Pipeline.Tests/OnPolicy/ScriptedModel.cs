using Distill.Generation;
using Distill.Tokenization;

namespace Distill.Pipeline.Tests.OnPolicy;

/// <summary>Writes one token, <see cref="Right"/> or <see cref="Wrong"/>, after whatever prompt, and ends.</summary>
/// <param name="errs">Probability of the wrong one.</param>
internal sealed class ScriptedModel(ChatEncoder encoder, double errs) : ITokenModel
{
    public const int Right = 40, Wrong = 41;

    public int VocabularySize => encoder.Tokenizer.VocabularySize;

    public int MaxLength => 512;

    public IDecodeSession Open(int slots, int maxLength) => new Session(this, slots, maxLength);

    public void Dispose()
    {
    }

    private void Write(IReadOnlyList<int> sequence, Span<float> logits)
    {
        for (int id = 0; id < logits.Length; id++) logits[id] = -12 - (0.01f * id); // the same likely tokens everywhere
        if (sequence[^1] is Right or Wrong) logits[encoder.EndToken] = 8;
        else (logits[Right], logits[Wrong]) = ((float)Math.Log(1 - errs), (float)Math.Log(errs));
    }

    private sealed class Session(ScriptedModel model, int slots, int maxLength) : IDecodeSession
    {
        private readonly List<int>[] held = [.. Enumerable.Range(0, slots).Select(_ => new List<int>())];

        public int Slots => slots;

        public int MaxLength => maxLength;

        public int Length(int slot) => held[slot].Count;

        public void Prefill(int slot, ReadOnlySpan<int> tokens, Span<float> logits)
        {
            int vocabulary = model.VocabularySize;
            for (int i = 0; i < tokens.Length; i++)
            {
                held[slot].Add(tokens[i]);
                if (logits.Length == (long)tokens.Length * vocabulary) model.Write(held[slot], logits.Slice(i * vocabulary, vocabulary));
                else if (i == tokens.Length - 1) model.Write(held[slot], logits);
            }
        }

        public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
        {
            for (int slot = 0; slot < tokens.Length; slot++)
            {
                held[slot].Add(tokens[slot]);
                model.Write(held[slot], logits.Slice(slot * model.VocabularySize, model.VocabularySize));
            }
        }

        public void Copy(int from, int to, int length) => held[to] = held[from][..length];

        public void Truncate(int slot, int length) => held[slot].RemoveRange(length, held[slot].Count - length);

        public void Clear(int slot) => held[slot].Clear();

        public void Cancel()
        {
        }

        public void Dispose()
        {
        }
    }
}

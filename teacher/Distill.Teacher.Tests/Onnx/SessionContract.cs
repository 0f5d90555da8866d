using Distill.Generation;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>
/// Whatever happened in a session before, a slot answers as one that was given its tokens in one go: for shared caches, windows,
/// growing caches and float16 alike, with every backend.
/// </summary>
public abstract class SessionContract
{
    // Longer than the sliding windows of the folders (24), so that a window has slid before the cache is cut.
    private const int Long = 60;
    private const int Capacity = 80;

    [Theory]
    [MemberData("Names")]
    public void Parts_cuts_copies_and_ragged_steps_change_nothing(string name)
    {
        using var run = new Run(name, Load);
        int[] tokens = run.Tokens;
        var session = run.Session;
        session.Prefill(0, tokens.AsSpan(0, 1), run.One);
        session.Prefill(0, tokens.AsSpan(1, 16), run.One);
        session.Prefill(0, tokens.AsSpan(17, Long - 17), run.One);
        run.Expect(run.One, tokens.AsSpan(0, Long), "in three parts");

        session.Truncate(0, 30);
        session.Prefill(0, tokens.AsSpan(40, 5), run.One);
        run.Expect(run.One, [.. tokens[..30], .. tokens[40..45]], "cut back and continued another way");

        session.Copy(0, 2, 33);
        session.Prefill(1, tokens.AsSpan(7, 3), run.One);
        run.ExpectStep([[.. tokens[..30], .. tokens[40..45]], tokens[7..10], [.. tokens[..30], .. tokens[40..43]]], "three lengths");
        run.ExpectStep([[.. tokens[..30], .. tokens[40..45]], tokens[7..10]], "two of the three", before: 1);
    }

    [Theory]
    [MemberData("Names")]
    public void Steps_go_on_after_their_rows_moved(string name)
    {
        using var run = new Run(name, Load);
        int[] tokens = run.Tokens;
        for (int slot = 0; slot < 3; slot++) run.Session.Prefill(slot, tokens.AsSpan(slot, 4 + (13 * slot)), run.One);
        int[][] held = [tokens[..4], tokens[1..18], tokens[2..32]];
        for (int step = 0; step < 3; step++) held = run.ExpectStep(held, $"step {step}");

        run.Session.Copy(2, 0, run.Session.Length(2)); // as when the first row ends and the last takes its place
        run.Session.Clear(2);
        held = run.ExpectStep([held[2], held[1]], "the hole closed");
        run.Session.Prefill(2, tokens.AsSpan(50, 2), run.One);
        held = run.ExpectStep([.. held, tokens[50..52]], "a new row");
        run.Session.Truncate(1, 5);
        run.ExpectStep([held[0], held[1][..5], held[2]], "one cut in between");
    }

    [Theory]
    [MemberData("Names")]
    public void A_slot_takes_as_many_tokens_as_it_holds_and_no_more(string name)
    {
        using var run = new Run(name, Load);
        run.Session.Prefill(0, run.Tokens.AsSpan(0, Capacity - 1), run.One);
        run.ExpectStep([run.Tokens[..(Capacity - 1)]], "the last place");
        Should.Throw<InvalidOperationException>(() => run.Session.Step([1], run.One)).Message.ShouldContain($"{Capacity} of {Capacity}");
        Should.Throw<InvalidOperationException>(() => run.Session.Prefill(0, [1], run.One));
        run.Session.Length(0).ShouldBe(Capacity);
    }

    private protected abstract ITokenModel Load(ReferenceCase reference);

    /// <summary>A session under test beside one that is only ever given whole sequences.</summary>
    private sealed class Run : IDisposable
    {
        private readonly ReferenceCase reference;
        private readonly ITokenModel model;
        private readonly IDecodeSession whole;

        public Run(string name, Func<ReferenceCase, ITokenModel> load)
        {
            reference = new ReferenceCase(name);
            model = load(reference);
            Session = model.Open(3, Capacity);
            whole = model.Open(1, Capacity);
            One = new float[model.VocabularySize];
            var random = new Random(5);
            Tokens = [.. Enumerable.Range(0, Capacity).Select(_ => random.Next(5, model.VocabularySize))];
        }

        public IDecodeSession Session { get; }

        public int[] Tokens { get; }

        public float[] One { get; }

        public void Expect(ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, string what)
        {
            float[] expected = new float[model.VocabularySize];
            whole.Clear(0);
            whole.Prefill(0, tokens, expected);
            double difference = 0;
            for (int i = 0; i < expected.Length; i++) difference = Math.Max(difference, Math.Abs(logits[i] - expected[i]));
            difference.ShouldBeLessThanOrEqualTo(reference.Tolerance, $"{reference.Name}: {what}");
        }

        /// <summary>Steps with a token of its own per row and compares each row; gives what the rows hold then.</summary>
        /// <param name="before">Steps that the rows took since they held what is given.</param>
        public int[][] ExpectStep(int[][] held, string what, int before = 0)
        {
            int[] Next(int step) => [.. held.Select((_, row) => Tokens[10 + (7 * row) + step])];
            float[] logits = new float[held.Length * model.VocabularySize];
            Session.Step(Next(before), logits);
            int[][] after = [.. held.Select((row, i) => (int[])[.. row, .. Enumerable.Range(0, before + 1).Select(step => Next(step)[i])])];
            for (int i = 0; i < held.Length; i++)
                Expect(logits.AsSpan(i * model.VocabularySize, model.VocabularySize), after[i], $"{what}, row {i}");
            return after;
        }

        public void Dispose()
        {
            Session.Dispose();
            whole.Dispose();
            model.Dispose();
        }
    }
}

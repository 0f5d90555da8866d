using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;

namespace Distill.Teacher.Tests.Onnx;

/// <summary>
/// Whatever happened in a session before, a slot answers as one that was given its tokens in one go: for shared caches, windows,
/// growing caches and float16 alike, in the host's memory and in libtorch's.
/// </summary>
public sealed class SessionContractTests
{
    // Longer than the sliding windows of the folders (24), so that a window has slid before the cache is cut.
    private const int Long = 60;
    private const int Capacity = 80;

    public static TheoryData<string> Names => ReferenceCase.Names;

    // Every kind of session that a folder's graph allows.
    public static TheoryData<string, bool> Sessions =>
        [.. Rows(ReferenceCase.Names, false), .. Rows(ReferenceCase.NamesOfSharedCaches, true)];

    private static IEnumerable<(string Name, bool Torch)> Rows(IEnumerable<TheoryDataRow<string>> names, bool torch) =>
        names.Select(row => (row.Data, torch));

    [Theory]
    [MemberData(nameof(Sessions))]
    public void Parts_cuts_copies_and_ragged_steps_change_nothing(string name, bool torch)
    {
        using var run = new Run(name, torch);
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
    [MemberData(nameof(Sessions))]
    public void Steps_go_on_after_their_rows_moved(string name, bool torch)
    {
        using var run = new Run(name, torch);
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
    [MemberData(nameof(Sessions))]
    public void A_slot_takes_as_many_tokens_as_it_holds_and_no_more(string name, bool torch)
    {
        using var run = new Run(name, torch);
        run.Session.Prefill(0, run.Tokens.AsSpan(0, Capacity - 1), run.One);
        run.ExpectStep([run.Tokens[..(Capacity - 1)]], "the last place");
        Should.Throw<InvalidOperationException>(() => run.Session.Step([1], run.One)).Message.ShouldContain($"{Capacity} of {Capacity}");
        Should.Throw<InvalidOperationException>(() => run.Session.Prefill(0, [1], run.One));
        run.Session.Length(0).ShouldBe(Capacity);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_memory_told_beforehand_is_what_a_session_takes(string name)
    {
        var folder = new ReferenceCase(name).Open();
        using var model = OnnxTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
        foreach (var (slots, length) in ((int, int)[])[(1, 2), (3, 7), (5, 100)])
        {
            using var session = (DecodeSession)model.Open(slots, length);
            model.MemoryOf(slots, length).ShouldBe(session.Memory, $"{name}, {slots} × {length}");
            folder.MemoryOf(slots, length).ShouldBe(session.Memory, $"{name}, {slots} × {length}, without loading");
            if (folder.Facts.SharesCache)
                folder.Configuration.MemoryOf(slots, length).ShouldBe(session.Memory, $"{name}, {slots} × {length}, by configuration");
        }
    }

    /// <summary>A session under test beside one that is only ever given whole sequences.</summary>
    private sealed class Run : IDisposable
    {
        private readonly ReferenceCase reference;
        private readonly OnnxTokenModel model;
        private readonly TorchTokenModel? torch;
        private readonly IDecodeSession whole;

        public Run(string name, bool inTorch)
        {
            reference = new ReferenceCase(name);
            model = reference.Load();
            torch = inTorch ? reference.LoadInTorch() : null;
            Session = (torch as ITokenModel ?? model).Open(3, Capacity);
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
            torch?.Dispose();
            model.Dispose();
        }
    }
}

using Distill.Architecture;
using Distill.Export.Parity;
using Distill.Export.Tests.Support;
using Distill.Generation.Onnx;

namespace Distill.Export.Tests.Parity;

/// <summary>What the gate makes of other runtimes, scripted.</summary>
public sealed class RuntimeComparisonTests
{
    private static readonly DecoderArchitecture A = TinyModels.Qwen3;

    private static readonly ParityInputs Inputs = new()
    {
        Sequences = [[1, 2, 3, 4, 5]], Prompts = [[1, 2], [3, 4, 5], [7]], MaxNewTokens = 12,
    };

    [Fact]
    public void A_runtime_that_says_the_same_passes()
    {
        var report = Run(new Scripted(rows => rows));
        report.Passed.ShouldBeTrue();
        report.Runtimes.ShouldHaveSingleItem().ShouldBe(new RuntimeParity("scripted", 3, 36, 0, 0));
    }

    [Fact]
    public void One_other_token_refuses_the_export_and_counts_up_to_there()
    {
        var report = Run(new Scripted(rows => [rows[0], [.. rows[1].Take(4), (rows[1][4] + 7) % 50, .. rows[1].Skip(5)], rows[2]]));
        report.Passed.ShouldBeFalse();
        report.Runtimes!.Single().ShouldBe(new RuntimeParity("scripted", 3, 12 + 5 + 12, 1, 0));
        report.Refusals.ShouldHaveSingleItem().ShouldBe("scripted gives other tokens for 1 of 3 prompts");
    }

    [Fact]
    public void A_row_that_ends_early_or_goes_on_is_another_row()
    {
        Run(new Scripted(rows => [rows[0].Take(3).ToList(), rows[1], rows[2]])).Runtimes!.Single().Mismatches.ShouldBe(1);
        Run(new Scripted(rows => [[.. rows[0], 4], rows[1], rows[2]])).Runtimes!.Single().Mismatches.ShouldBe(1);
    }

    // Some runtimes give the token that ended the row, some do not.
    [Fact]
    public void The_token_that_ends_a_row_may_be_left_out()
    {
        int[] all = [.. Enumerable.Range(0, A.VocabularySize)];
        Run(new Scripted(rows => [.. rows.Select(_ => Array.Empty<int>())]), Inputs with { StopTokens = all }).Passed.ShouldBeTrue();
    }

    [Fact]
    public void A_runtime_that_cannot_run_the_folder_is_a_finding_with_its_reason()
    {
        var report = Run(new Scripted(_ => throw new InvalidDataException("no such operator")));
        report.Passed.ShouldBeFalse();
        report.Refusals.ShouldHaveSingleItem().ShouldBe("scripted cannot run the folder: no such operator");
    }

    // Everything else that was measured is told all the same.
    [Fact]
    public void A_runtime_that_ends_without_an_answer_is_a_finding_and_one_that_is_too_slow_is_none()
    {
        var ended = Run(new Scripted(_ => throw new IOException("node ended with 134")));
        ended.Passed.ShouldBeFalse();
        ended.GreedyTokensCompared.ShouldBe(36);
        ended.Refusals.ShouldHaveSingleItem().ShouldBe("scripted cannot run the folder: node ended with 134");

        var late = Run(new Scripted(_ => throw new IOException("no answer within 600 seconds", new TimeoutException())));
        late.Passed.ShouldBeTrue();
        late.Runtimes!.Single().NotRun.ShouldBe("no answer within 600 seconds");
        ParityRows.Of(late).ShouldContain(row => row.Measured == "not compared: no answer within 600 seconds" && row.Passed == null);
    }

    // Rows that are decoded together end where each would alone, the longest at the end of the context.
    [Fact]
    public void The_end_of_the_context_ends_the_row_that_reaches_it_and_no_other()
    {
        int[] full = [.. Enumerable.Range(0, A.MaxPositions - 3).Select(i => i % 50)];
        var inputs = Inputs with { Prompts = [[1, 2], full, [7]], MaxNewTokens = 12 };
        var alone = new Scripted(rows => rows);
        var report = Run(alone, inputs, oneByOne: true);
        report.GreedyTokensCompared.ShouldBe(12 + 3 + 12);
        report.Runtimes!.Single().ShouldBe(new RuntimeParity("scripted", 3, 27, 0, 0));
        report.Passed.ShouldBeTrue();
        // Some runtimes give one token fewer there: elsewhere that is another row.
        Run(new Scripted(rows => [rows[0], [.. rows[1].SkipLast(1)], rows[2]]), inputs).Runtimes!.Single().Mismatches.ShouldBe(0);
        Run(new Scripted(rows => [[.. rows[0].SkipLast(1)], rows[1], rows[2]]), inputs).Runtimes!.Single().Mismatches.ShouldBe(1);
    }

    [Fact]
    public void A_tie_is_what_the_logits_say_that_were_chosen_from()
    {
        var row = new GreedyRow([1], [2], [[0, 5, 9, 8.999f, 8]]).ToDecoded();
        row.Near.ShouldHaveSingleItem().Select(near => near.Token).ShouldBe([3, 4, 1]);
        RuntimeParity With(int token) => RuntimeComparison.Run(
            new Scripted(_ => [[token]]), 100, [row], Inputs with { MaxNewTokens = 1 }, 0.01, TestContext.Current.CancellationToken);
        (With(2).Ties, With(2).Mismatches).ShouldBe((0, 0));
        (With(3).Ties, With(3).Mismatches).ShouldBe((1, 0));
        (With(4).Ties, With(4).Mismatches).ShouldBe((0, 1));
    }

    private static ParityReport Run(Scripted runtime, ParityInputs? inputs = null, bool oneByOne = false)
    {
        var weights = TinyModels.Weights(A);
        using var reference = new TorchReferenceModel(weights);
        using var exported = OnnxTokenModel.FromBytes(new DecoderGraph(A).ToBytes(weights), A.MaxPositions,
            new OnnxModelOptions { IntraOpThreads = 1 });
        runtime.Own = prompts => [.. prompts.Chunk(oneByOne ? 1 : prompts.Count).SelectMany(
            part => GreedyDecoding.Run(exported, part, 12, (inputs ?? Inputs).StopTokens)).Select(row => row.Tokens)];
        return new ParityGate(reference, exported, [runtime]).Run(inputs ?? Inputs, ParityTolerance.Exact);
    }

    /// <summary>What the own engine says, changed.</summary>
    private sealed class Scripted(Func<IReadOnlyList<IReadOnlyList<int>>, IReadOnlyList<IReadOnlyList<int>>> change) : IExportedRuntime
    {
        public Func<IReadOnlyList<IReadOnlyList<int>>, IReadOnlyList<IReadOnlyList<int>>> Own { get; set; } = rows => rows;

        public string Name => "scripted";

        public IReadOnlyList<IReadOnlyList<int>> Greedy(
            IReadOnlyList<IReadOnlyList<int>> prompts, int maxNewTokens, IReadOnlyList<int> stopTokens, CancellationToken cancellation) =>
            change(Own(prompts));

        public IReadOnlyList<IReadOnlyList<int>>? Encode(IReadOnlyList<string> texts, CancellationToken cancellation) => null;

        public void Dispose()
        {
        }
    }
}

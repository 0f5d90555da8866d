using Distill.Generation;
using Distill.Generation.Onnx;
using Distill.Generation.Torch;
using Distill.Generation.Torch.Memory;
using Distill.Generation.Torch.Sessions;
using Distill.Teacher.Tests.Fixtures;

namespace Distill.Teacher.Tests.Torch;

/// <summary>What is recorded on a card and when; on the processor the numbers are asked for and nothing is recorded.</summary>
public sealed class RecordedStepsTests
{
    [Fact]
    public void A_number_of_rows_is_recorded_once_it_has_come_often()
    {
        var records = new StepRecords(new RecordedRuns(), slots: 4, after: 2);
        foreach (int rows in (int[])[4, 3, 4, 3]) records.Of(rows).ShouldBe((StepRecords.None, false));
        records.Of(4).ShouldBe(("1", true));
        records.Of(4).ShouldBe((StepRecords.None, false), "it is not known to have come to its end");
        records.Made(4);
        records.Of(4).ShouldBe(("1", false));
        for (int i = 2; i < 8; i++) records.Of(3).ShouldBe((StepRecords.None, false)); // fewer rows pay four times as late
        records.Of(3).ShouldBe(("2", true));
        records.Of(4).ShouldBe(("1", false));
    }

    [Fact]
    public void A_model_records_so_much_and_no_more_however_many_sessions_there_are()
    {
        var recorded = new RecordedRuns(most: 3);
        StepRecords[] sessions = [.. Enumerable.Range(0, 5).Select(_ => new StepRecords(recorded, slots: 1, after: 0))];
        sessions.Select(session => session.Of(1)).ShouldBe(
            [("1", true), ("2", true), ("3", true), (StepRecords.None, false), (StepRecords.None, false)]);
        foreach (var session in sessions[..3]) session.Made(1);
        sessions[1].Of(1).ShouldBe(("2", false));
        sessions[4].Of(1).ShouldBe((StepRecords.None, false));
    }

    // ONNX Runtime would record it anew there, whoever else works with the card.
    [Fact]
    public void A_record_is_repeated_by_the_thread_that_made_it_alone()
    {
        var records = new StepRecords(new RecordedRuns(), slots: 1, after: 0);
        records.Of(1, thread: 7).ShouldBe(("1", true));
        records.AreOf(8).ShouldBeFalse("it is being made");
        records.Made(1);
        records.Of(1, thread: 8).ShouldBe((StepRecords.None, false));
        records.Of(1, thread: 7).ShouldBe(("1", false));
        (records.AreOf(7), records.AreOf(8)).ShouldBe((true, false));
        records.Failed(1, stops: false);
        records.AreOf(8).ShouldBeTrue("nothing is left to repeat");
    }

    [Fact]
    public void A_record_that_did_not_come_to_its_end_is_never_repeated_nor_made_again()
    {
        var recorded = new RecordedRuns();
        var cancelled = new StepRecords(recorded, slots: 2, after: 0);
        cancelled.Of(2).ShouldBe(("1", true));
        cancelled.Failed(2, stops: false);
        cancelled.Of(2).ShouldBe((StepRecords.None, false));
        var other = new StepRecords(recorded, slots: 1, after: 0);
        other.Of(1).ShouldBe(("2", true));
        other.Failed(1, stops: true); // the graph cannot be recorded
        new StepRecords(recorded, slots: 1, after: 0).Of(1).ShouldBe((StepRecords.None, false));
    }

    // A batch that runs empty comes past every number of rows.
    [Fact]
    public void One_sessions_memory_takes_no_more_than_its_share_of_the_records()
    {
        var records = new StepRecords(new RecordedRuns(), slots: 64, after: 0);
        int made = 0;
        for (int rows = 64; rows > 0; rows--)
        {
            if (!records.Of(rows).IsNew) continue;
            records.Made(rows);
            made++;
        }

        made.ShouldBe(16);
    }

    [Fact]
    public async Task Who_records_has_the_card_alone()
    {
        var inside = new SemaphoreSlim(0);
        Task alone;
        using (CardTurn.Shared())
        {
            using var beside = CardTurn.Shared(); // a turn within a turn
            alone = Task.Run(
                () =>
                {
                    using var turn = CardTurn.Alone();
                    using var within = CardTurn.Shared();
                    inside.Release();
                },
                TestContext.Current.CancellationToken);
            inside.Wait(50, TestContext.Current.CancellationToken).ShouldBeFalse();
        }

        await alone;
        inside.CurrentCount.ShouldBe(1);
    }

    // What is recorded holds addresses: those of a session that was closed serve the next one of its size.
    [Fact]
    public void The_next_session_of_a_size_takes_over_what_the_last_one_left()
    {
        var folder = ModelFolder.Open(TinyReasoner.Folder);
        var options = new OnnxModelOptions { IntraOpThreads = 1, Cuda = new CudaOptions { CapturesGraphs = true } };
        using var model = TorchTokenModel.Load(folder, options);
        model.RecordsSteps.ShouldBeTrue();
        DecodeBuffers Of(int slots, int length)
        {
            using var session = (TorchDecodeSession)model.Open(slots, length);
            session.MaxLength.ShouldBe(length);
            session.Length(0).ShouldBe(0);
            session.Prefill(0, [1, 2]);
            return session.Buffers;
        }

        var first = Of(2, 65);
        first.Capacity.ShouldBe(128);
        Of(2, 128).ShouldBeSameAs(first);
        Of(2, 129).ShouldNotBeSameAs(first);
        Of(2, 128).ShouldNotBeSameAs(first, "one that does not suit is let go");
        using var plain = TorchTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
        using var exact = (TorchDecodeSession)plain.Open(2, 65);
        exact.Buffers.Capacity.ShouldBe(65);
    }

    [Fact]
    public void A_session_that_takes_over_says_what_a_new_one_says()
    {
        var folder = ModelFolder.Open(TinyReasoner.Folder);
        var options = new OnnxModelOptions { IntraOpThreads = 1, Cuda = new CudaOptions { CapturesGraphs = true } };
        using var plain = TorchTokenModel.Load(folder, options with { Cuda = new CudaOptions() });
        using var recording = TorchTokenModel.Load(folder, options);
        foreach (int prompt in (int[])[5, 3, 9])
        {
            GenerationRequest[] requests = [.. Enumerable.Range(1, 6).Select(row => new GenerationRequest
            {
                Prompt = [.. Enumerable.Range(row, prompt)],
                MaxNewTokens = 24,
                Seeds = [1, 2],
                Sampling = new SamplingOptions { Temperature = 1 },
            })];
            var expected = new BatchGenerator(plain, slots: 4).Complete(requests);
            var given = new BatchGenerator(recording, slots: 4).Complete(requests);
            for (int i = 0; i < requests.Length; i++)
                given[i].Select(completion => completion.Tokens).ShouldBe(expected[i].Select(completion => completion.Tokens));
        }
    }

    [Fact]
    public void A_closed_session_is_no_way_into_the_next_ones_memory()
    {
        var options = new OnnxModelOptions { IntraOpThreads = 1, Cuda = new CudaOptions { CapturesGraphs = true } };
        using var model = TorchTokenModel.Load(ModelFolder.Open(TinyReasoner.Folder), options);
        var closed = (TorchDecodeSession)model.Open(2, 64);
        closed.Prefill(0, [1]);
        closed.Dispose();
        closed.Dispose();
        using var next = model.Open(2, 64);
        Should.Throw<ObjectDisposedException>(() => closed.Copy(0, 1, 1));
        Should.Throw<ObjectDisposedException>(() => closed.CopyFirst(0, new float[model.VocabularySize]));
        Should.Throw<ObjectDisposedException>(() => closed.Prefill(0, [1]));
        Should.Throw<ObjectDisposedException>(() => closed.ChooseFirst(0, [new TokenQuery(SamplingOptions.Greedy, 0, default, 0)], new()));
    }
}

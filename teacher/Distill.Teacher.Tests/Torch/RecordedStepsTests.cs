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
        foreach (int rows in (int[])[3, 4, 3, 1]) records.Of(rows).ShouldBe((StepRecords.None, false));
        records.Of(3).ShouldBe(("1", true));
        records.Of(3).ShouldBe(("1", false));
        records.Of(4).ShouldBe((StepRecords.None, false));
        records.Of(4).ShouldBe(("2", true));
        records.Of(3).ShouldBe(("1", false));
    }

    [Fact]
    public void A_model_records_so_much_and_no_more_however_many_sessions_there_are()
    {
        var recorded = new RecordedRuns(most: 3);
        StepRecords[] sessions = [.. Enumerable.Range(0, 5).Select(_ => new StepRecords(recorded, slots: 1, after: 0))];
        sessions.Select(session => session.Of(1)).ShouldBe(
            [("1", true), ("2", true), ("3", true), (StepRecords.None, false), (StepRecords.None, false)]);
        sessions[1].Of(1).ShouldBe(("2", false));
        sessions[4].Of(1).ShouldBe((StepRecords.None, false));
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
        long BytesOf(int slots, int length)
        {
            using var session = (TorchDecodeSession)model.Open(slots, length);
            session.MaxLength.ShouldBe(length);
            session.Length(0).ShouldBe(0);
            session.Prefill(0, [1, 2]);
            return session.Memory.TotalBytes;
        }

        BytesOf(2, 65).ShouldBe(BytesOf(2, 128));
        BytesOf(2, 129).ShouldBeGreaterThan(BytesOf(2, 128));
        using var plain = TorchTokenModel.Load(folder, new OnnxModelOptions { IntraOpThreads = 1 });
        using var exact = (TorchDecodeSession)plain.Open(2, 65);
        exact.Memory.TotalBytes.ShouldBeLessThan(BytesOf(2, 65));
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
                { Prompt = [.. Enumerable.Range(row, prompt)], MaxNewTokens = 24, Seeds = [1, 2], Sampling = new SamplingOptions { Temperature = 1 } })];
            var expected = new BatchGenerator(plain, slots: 4).Complete(requests);
            var given = new BatchGenerator(recording, slots: 4).Complete(requests);
            for (int i = 0; i < requests.Length; i++)
                given[i].Select(completion => completion.Tokens).ShouldBe(expected[i].Select(completion => completion.Tokens));
        }
    }
}

using Distill.Generation;

namespace Distill.Teacher.Tests.Traces;

public sealed class CompletionJournalTests : IDisposable
{
    private static readonly string Model = new('a', 64);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void What_was_added_is_found_again_by_another_process()
    {
        Write(3);
        using var journal = Open();
        journal.Count.ShouldBe(3);
        for (int i = 0; i < 3; i++) ShouldBeCompletion(journal.Find(Key(i)).ShouldNotBeNull(), i);
        journal.Find(Key(3)).ShouldBeNull();
        journal.Notes.ShouldBeEmpty();
    }

    [Fact]
    public void Everything_that_decides_a_completion_is_part_of_its_key()
    {
        var request = Request(1);
        CompletionKey key = Only(request);
        Only(request with { Seeds = [5, 1] }, seed: 1).ShouldBe(key, "company does not matter");
        Only(request with { StopTokens = [9, 3, 9] }).ShouldBe(key, "nor does the order of stop tokens");
        GenerationRequest[] others =
        [
            request with { Prompt = [1, 2, 4] }, request with { MaxNewTokens = 9 }, request with { StopTokens = [3] },
            request with { Seeds = [2] }, request with { TopLogProbabilities = 1 }, request with { SharedPrefix = 1 },
            .. ((SamplingOptions[])
            [
                new() { Temperature = 0.5 }, new() { Temperature = 1, TopK = 3 }, new() { Temperature = 1, TopP = 0.5 },
                new() { Temperature = 1, MinP = 0.5 }, new() { Temperature = 1, RepetitionPenalty = 2 },
                new() { Temperature = 1, FrequencyPenalty = 2 }, new() { Temperature = 1, PresencePenalty = 2 },
                new() { Temperature = 1, LogitBias = new Dictionary<int, float> { [1] = 2 } },
            ]).Select(sampling => request with { Sampling = sampling }),
        ];
        CompletionKey[] keys = [key, CompletionKey.Of(new string('b', 64), request)[0], .. others.Select(other => Only(other))];
        keys.Distinct().Count().ShouldBe(keys.Length);
    }

    /// <summary>Kept for years: a key that changes by accident throws away what was generated.</summary>
    [Fact]
    public void A_key_is_what_it_was() =>
        Only(Request(1)).ToString().ShouldBe("74b32e2575d6b185cb3efd69f44e164cb292686795d4528642d041d07a232b90");

    [Fact]
    public void A_flipped_bit_costs_one_completion_and_gives_no_wrong_one()
    {
        const int count = 4;
        string path = Write(count);
        byte[] whole = File.ReadAllBytes(path);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(path, damaged);
            ShouldHold(count, count - 1, damaged: true);
        }
    }

    [Fact]
    public void A_file_cut_anywhere_costs_what_was_cut_off()
    {
        const int count = 3;
        string path = Write(count);
        byte[] whole = File.ReadAllBytes(path);
        int[] ends = [.. Enumerable.Range(0, count).Select(i => CompletionRecord.LengthOf(Of(i))!.Value)];
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            int[] wholeEnds = [.. Enumerable.Range(0, count + 1).Select(records => ends.Take(records).Sum())];
            ShouldHold(count, wholeEnds.Count(end => end > 0 && end <= length), damaged: !wholeEnds.Contains(length));
        }
    }

    [Fact]
    public void Bytes_put_in_anywhere_are_passed_over()
    {
        const int count = 3;
        string path = Write(count);
        byte[] whole = File.ReadAllBytes(path);
        byte[][] intruders = [[0], [.. CompletionRecord.Mark], whole[..40], new byte[(1 << 20) + 3]];
        foreach (byte[] intruder in intruders)
        {
            foreach (int at in (int[])[0, 5, CompletionRecord.LengthOf(Of(0))!.Value, whole.Length - 1, whole.Length])
            {
                File.WriteAllBytes(path, [.. whole[..at], .. intruder, .. whole[at..]]);
                ShouldHold(count, count - 1, damaged: true);
            }
        }
    }

    [Fact]
    public void A_file_that_is_no_journal_is_named_and_left()
    {
        string path = Path.Combine(Path.GetDirectoryName(Write(1))!, "000007.journal");
        File.WriteAllText(path, "my notes");
        using (var journal = Open())
        {
            journal.Count.ShouldBe(1);
            journal.Notes.ShouldHaveSingleItem().ShouldContain(path);
            journal.Add(Key(9), Of(9));
        }

        File.ReadAllText(path).ShouldBe("my notes");
        using var again = Open();
        again.Count.ShouldBe(2);
    }

    [Fact]
    public void What_is_damaged_while_it_is_open_is_not_given()
    {
        string path = Write(2);
        using var journal = Open();
        byte[] bytes = File.ReadAllBytes(path);
        bytes[CompletionRecord.LengthOf(Of(0))!.Value - 20] ^= 1;
        File.WriteAllBytes(path, bytes);
        journal.Find(Key(0)).ShouldBeNull();
        ShouldBeCompletion(journal.Find(Key(1)).ShouldNotBeNull(), 1);
        journal.Notes.ShouldHaveSingleItem().ShouldContain(path);
    }

    [Fact]
    public async Task Two_writers_at_once_lose_nothing()
    {
        const int each = 200;
        using (var one = Open())
        using (var other = Open())
        {
            await Task.WhenAll(((CompletionJournal[])[one, other]).Select((journal, writer) => Task.Run(() =>
            {
                for (int i = 0; i < each; i++) journal.Add(Key((writer * each / 2) + i), Of((writer * each / 2) + i)); // half of them twice
            })));
            ShouldBeCompletion(one.Find(Key(0)).ShouldNotBeNull(), 0);
        }

        using var read = Open();
        read.Notes.ShouldBeEmpty();
        read.Count.ShouldBe(each + (each / 2));
        for (int i = 0; i < read.Count; i++) ShouldBeCompletion(read.Find(Key(i)).ShouldNotBeNull(), i);
    }

    [Fact]
    public void A_journal_that_another_process_is_writing_can_be_read()
    {
        using var writing = Open();
        writing.Add(Key(0), Of(0));
        using var reading = Open();
        ShouldBeCompletion(reading.Find(Key(0)).ShouldNotBeNull(), 0);
    }

    [Fact]
    public void Opening_writes_nothing()
    {
        using (Open()) Directory.Exists(Path.Combine(folder.Path, "journal")).ShouldBeFalse();
    }

    /// <summary>A million such records take about 3 s on one busy core.</summary>
    [Fact]
    public void Opening_takes_time_in_proportion_to_its_length()
    {
        const int count = 100_000;
        Write(count);
        long started = TimeProvider.System.GetTimestamp();
        using var journal = Open();
        journal.Count.ShouldBe(count);
        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    private static CompletionKey Only(GenerationRequest request, ulong? seed = null) =>
        CompletionKey.Of(Model, request)[seed is { } wanted ? request.Seeds.ToList().IndexOf(wanted) : 0];

    private static GenerationRequest Request(ulong seed) => new()
    {
        Prompt = [1, 2, 3], MaxNewTokens = 8, Seeds = [seed], Sampling = new SamplingOptions { Temperature = 1 }, StopTokens = [3, 9],
    };

    private static CompletionKey Key(int index) => Only(Request((ulong)index));

    private static Completion Of(int index)
    {
        int tokens = index % 4, top = index % 3;
        return new Completion(
            [.. Enumerable.Range(index, tokens)], [.. Enumerable.Range(0, tokens).Select(i => -index - (i / 7f))], (StopReason)(index % 3),
            (ulong)index)
        {
            Top = top == 0 ? null : new TopLogProbabilities(
                top, [.. Enumerable.Range(index, tokens * top)], [.. Enumerable.Range(0, tokens * top).Select(i => -i / 3f)], []),
        };
    }

    private static void ShouldBeCompletion(Completion completion, int index)
    {
        Completion expected = Of(index);
        completion.Tokens.ShouldBe(expected.Tokens);
        completion.LogProbabilities.ShouldBe(expected.LogProbabilities);
        (completion.StopReason, completion.Seed, completion.Top?.Count).ShouldBe((expected.StopReason, expected.Seed, expected.Top?.Count));
        (completion.Top?.Ids ?? []).ShouldBe(expected.Top?.Ids ?? []);
        (completion.Top?.LogProbabilities ?? []).ShouldBe(expected.Top?.LogProbabilities ?? []);
    }

    private CompletionJournal Open() => CompletionJournal.Open(Path.Combine(folder.Path, "journal"), Model);

    /// <returns>The file written.</returns>
    private string Write(int count)
    {
        using var journal = Open();
        for (int i = 0; i < count; i++) journal.Add(Key(i), Of(i));
        return Directory.GetFiles(Path.Combine(folder.Path, "journal", Model[..16])).ShouldHaveSingleItem();
    }

    private void ShouldHold(int written, int atLeast, bool damaged)
    {
        using var journal = Open();
        int found = 0;
        for (int i = 0; i < written; i++)
        {
            if (journal.Find(Key(i)) is not { } completion) continue;
            ShouldBeCompletion(completion, i);
            found++;
        }

        found.ShouldBe(journal.Count);
        found.ShouldBeGreaterThanOrEqualTo(atLeast);
        journal.Notes.Count.ShouldBe(damaged ? 1 : 0);
    }
}

using Distill.Student.Autograd;
using Distill.Student.Training;

namespace Distill.Student.Tests.Autograd;

public sealed class LengthBucketsTests
{
    [Fact]
    public void Tokens_lie_position_by_position_and_padding_repeats_the_last()
    {
        int[] Counted(int start, int count) => [.. Enumerable.Range(start, count)];
        var laid = new LengthBuckets(new TokenBatch([new(Counted(100, 4), 2), new(Counted(0, 33), 30), new(Counted(50, 32), 31)]));
        laid.Buckets.ShouldBe([new(0, 32, 2), new(64, 3, 1)]);
        laid.Ids.Take(4).ShouldBe([0, 50, 1, 51]);
        laid.Ids.Skip(60).ShouldBe([30, 80, 31, 80, 100, 101, 102]);
        // learned are tokens 2 and 3 of the first, 30 to 32 of the second, 31 of the third
        laid.PredictedFrom.ShouldBe([65, 66, 58, 60, 62, 61]);
    }

    [Fact]
    public void Padding_stays_within_its_bound_and_every_token_has_its_row()
    {
        var sequences = TinyDecoder.Sequences(
            TinyDecoder.Architecture(), [.. Enumerable.Range(0, 60).Select(index => 2 + (index * 37 % 120))]);
        var batches = new MicroBatches(300, 128).Of(sequences);
        batches.SelectMany(batch => batch.Sequences).ShouldBe(sequences, ignoreOrder: true);
        foreach (var batch in batches)
        {
            var laid = new LengthBuckets(batch);
            int tokens = batch.Sequences.Sum(PromptGroup.Read);
            tokens.ShouldBeLessThanOrEqualTo(300);
            laid.Ids.Count.ShouldBeInRange(tokens, tokens * 16 / 15);
            laid.PredictedFrom.Distinct().Count().ShouldBe(batch.Targets.Length);
            int learned = 0;
            foreach (var sequence in batch.Sequences)
                for (int position = sequence.FirstSupervised; position < sequence.Tokens.Count; position++)
                    laid.Ids[(int)laid.PredictedFrom[learned++]].ShouldBe(sequence.Tokens[position - 1]);
        }
    }

    [Fact]
    public void A_prompt_of_several_lies_once_and_what_continues_it_behind_it()
    {
        var batch = new TokenBatch([new([1, 2, 3, 4, 5], 2), new([9, 8, 7], 1), new([1, 2, 6], 2), new([1, 2, 7, 8], 2)]);
        var laid = new LengthBuckets(batch);
        var prompts = new LengthBucket(0, 2, 2);
        laid.Buckets.ShouldBe([prompts, new(4, 2, 2, new SharedPrompt(prompts, 0, 2))]);
        laid.Ids.ShouldBe([1, 9, 2, 8, 3, 7, 4, 7]);
        laid.PredictedFrom.ShouldBe([2, 4, 6, 1, 3, 2, 2, 5]); // the third's only token is predicted from the prompt
    }

    // Continuations of a few tokens are many in a micro-batch, and each has the keys and values of the prompt before its own.
    [Fact]
    public void What_is_copied_of_shared_prompts_stays_within_its_bound()
    {
        var random = new Random(3);
        int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(60))];
        var sequences = new List<TrainingSequence>();
        foreach (int length in (int[])[90, 60, 30])
        {
            int[] prompt = Tokens(length);
            for (int i = 0; i < 40; i++) sequences.Add(new([.. prompt, .. Tokens(2 + (i % 5))], length));
        }

        var batches = new MicroBatches(100, 128).Of(sequences);
        batches.SelectMany(batch => batch.Sequences).ShouldBe(sequences, ignoreOrder: true);
        foreach (var batch in batches)
        {
            var continued = new LengthBuckets(batch).Buckets.Where(bucket => bucket.Prompt is not null).ToList();
            continued.ShouldNotBeEmpty(); // still shared
            continued.Sum(bucket => bucket.Count * (bucket.Before + bucket.Length)).ShouldBeLessThanOrEqualTo(100 * PromptGroup.Copies);
        }
    }

    [Fact]
    public void A_prompt_too_short_to_matter_is_read_with_every_sequence()
    {
        var batch = new TokenBatch([new([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 1), new([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], 1)]);
        new LengthBuckets(batch).Buckets.ShouldBe([new(0, 11, 2)]);
    }
}

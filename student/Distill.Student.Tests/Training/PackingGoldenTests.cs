using System.Text.Json.Nodes;
using Distill.Student.Training;

namespace Distill.Student.Tests.Training;

/// <summary>Best-fit decreasing and the packed batch against TRL's packing.</summary>
public sealed class PackingGoldenTests
{
    [Fact]
    public void Rows_are_those_of_TRL()
    {
        foreach (var golden in Cases())
        {
            var (lengths, starts) = Sequences(golden!);
            var bins = BestFitPacking.Pack(lengths, golden!["max_length"]!.GetValue<int>());
            var rows = golden["rows"]!.AsArray();
            bins.Count.ShouldBe(rows.Count, golden.ToJsonString());
            for (int bin = 0; bin < bins.Count; bin++)
            {
                int[] ids = [.. bins[bin].SelectMany(item => Enumerable.Range(starts[item], lengths[item]))];
                ids.ShouldBe(Integers(rows[bin]!["input_ids"]!));
                bins[bin].Select(item => lengths[item]).ShouldBe(Integers(rows[bin]!["seq_lengths"]!));
            }
        }
    }

    // A batch leaves out each sequence's last token, from which nothing is predicted; TRL's row keeps it. A sequence of one token has
    // nothing to learn.
    [Fact]
    public void Positions_restart_and_labels_are_those_of_TRL()
    {
        foreach (var row in Cases().SelectMany(golden => golden!["rows"]!.AsArray()))
        {
            int[] ids = Integers(row!["input_ids"]!), lengths = Integers(row["seq_lengths"]!), positions = Integers(row["position_ids"]!),
                labels = Integers(row["labels"]!);
            int[] starts = [.. lengths.Select((_, index) => lengths.Take(index).Sum())];
            var learnable = Enumerable.Range(0, lengths.Length).Where(index => lengths[index] > 1).ToList();
            if (learnable.Count == 0) continue;
            var batch = new TokenBatch(
                [.. learnable.Select(index => new TrainingSequence(ids[starts[index]..(starts[index] + lengths[index])], 1))]);
            batch.Positions.ShouldBe(learnable.SelectMany(index => positions[starts[index]..(starts[index] + lengths[index] - 1)]));
            batch.Targets.ShouldBe(labels.Where(label => label != -100));
        }
    }

    [Fact]
    public void An_item_larger_than_a_bin_is_refused() => Should.Throw<ArgumentException>(() => BestFitPacking.Pack([3, 9], 8));

    private static JsonArray Cases() =>
        JsonNode.Parse(File.ReadAllText(FixtureFolder.RequireFile("losses", "packing.json")))!["cases"]!.AsArray();

    // What is too long is cut off (bfd) or becomes pieces (bfd_split) in TRL; here whoever packs has to decide.
    private static (int[] Lengths, int[] Starts) Sequences(JsonNode golden)
    {
        var (lengths, starts) = (new List<int>(), new List<int>());
        int most = golden["max_length"]!.GetValue<int>(), next = 1;
        bool splits = golden["strategy"]!.GetValue<string>() == "bfd_split";
        foreach (int length in Integers(golden["lengths"]!))
        {
            for (int done = 0; done < length && (done == 0 || splits); done += most)
            {
                lengths.Add(Math.Min(most, length - done));
                starts.Add(next + done);
            }

            next += length;
        }

        return ([.. lengths], [.. starts]);
    }

    private static int[] Integers(JsonNode list) => [.. list.AsArray().Select(value => value!.GetValue<int>())];
}

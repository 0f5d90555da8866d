using System.Text;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Tests.Traces;

public sealed class DatasetCardTests
{
    private static readonly DatasetCard Card = new()
    {
        Title = "Traces: \"tiny\"",
        Description = "Made by a test.",
        Graded = true,
        Files = new Dictionary<Split, IReadOnlyList<ArtifactFile>>
        {
            [Split.Test] = [new("data/test-00000-of-00001.parquet", 30, new string('0', 64), 2)],
            [Split.Train] =
            [
                new("data/train-00000-of-00002.parquet", 100, new string('0', 64), 5),
                new("data/train-00001-of-00002.parquet", 50, new string('0', 64), 4),
            ],
        },
    };

    private static readonly string Text = Encoding.UTF8.GetString(Card.ToBytes());

    [Fact]
    public void The_header_names_every_file_under_its_split() =>
        Text.ShouldContain(
            "configs:\n- config_name: default\n  data_files:\n"
            + "  - split: train\n    path:\n    - \"data/train-00000-of-00002.parquet\"\n    - \"data/train-00001-of-00002.parquet\"\n"
            + "  - split: test\n    path:\n    - \"data/test-00000-of-00001.parquet\"\n");

    [Fact]
    public void Sizes_are_summed_per_split()
    {
        Text.ShouldContain("  - name: train\n    num_bytes: 150\n    num_examples: 9\n");
        Text.ShouldContain("download_size: 180\n");
    }

    [Fact]
    public void Lists_values_and_times_are_features_of_their_kind()
    {
        Text.ShouldContain(
            "  - name: messages\n    list:\n    - name: role\n      dtype: string\n    - name: content\n      dtype: string\n");
        Text.ShouldContain("  - name: token_ids\n    list: int32\n");
        Text.ShouldContain("  - name: created_at\n    dtype: \"timestamp[us, tz=UTC]\"\n");
        Text.ShouldContain("  - name: keep\n    dtype: bool\n");
    }

    [Fact]
    public void A_title_cannot_break_out_of_the_header() =>
        Text.ShouldContain("pretty_name: \"Traces: \\u0022tiny\\u0022\"\n");
}

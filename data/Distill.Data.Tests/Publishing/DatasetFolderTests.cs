using System.Text.Json;
using Distill.Data.Problems;
using Distill.Data.Publishing;
using Distill.Data.Publishing.Licences;
using Distill.Data.Traces;
using Distill.Storage;

namespace Distill.Data.Tests.Publishing;

/// <summary>A folder that the Hub and <c>datasets</c> read.</summary>
public sealed class DatasetFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly IReadOnlyList<Trace> traces = SamplePublication.Many(40);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Only_kept_traces_of_graded_ones_go_out_split_by_split()
    {
        var files = Write(Graded(), keptOnly: true, new DatasetFolderOptions { RowsPerFile = 10 });

        files.Select(file => file.Path).ShouldBe(
        [
            "data/train-00000-of-00003.parquet", "data/train-00001-of-00003.parquet", "data/train-00002-of-00003.parquet",
            "data/test-00000-of-00001.parquet",
        ]);
        var kept = traces.Select(SamplePublication.Graded).Where(graded => graded.Keep).ToList();
        var read = files.SelectMany(file => TraceFile.ReadGraded(folder["out/" + file.Path])).ToList();
        read.Select(graded => TraceDigest.Of(graded.Trace)).Order().ShouldBe(kept.Select(graded => TraceDigest.Of(graded.Trace)).Order());
        read.ShouldAllBe(graded => graded.Keep);
        foreach (var file in files) FileDigest.OfFile(folder["out/" + file.Path]).ShouldBe(file.Sha256);
    }

    [Fact]
    public void Whole_files_of_one_split_are_linked()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Files are copied there.");
        var train = traces.Where(trace => trace.Problem.Split == Split.Train).ToList();
        TraceFile.Write(folder["in/a.parquet"], train.Take(20));
        TraceFile.Write(folder["in/b.parquet"], train.Skip(20));

        Write(TraceSet.Of(folder["in"]), keptOnly: false);

        InodeOf(folder["out/data/train-00001-of-00002.parquet"]).ShouldBe(InodeOf(folder["in/b.parquet"]));

        static ulong InodeOf(string path) => NativeFile.Status(path)!.Value.Inode;
    }

    [Fact]
    public void Token_columns_can_be_left_out()
    {
        TraceFile.Write(folder["in.parquet"], traces);
        Write(TraceSet.Of(folder["in.parquet"]), keptOnly: false, new DatasetFolderOptions { KeepTokens = false });

        TraceFile.Read(folder["out/data/train-00000-of-00001.parquet"]).ShouldAllBe(trace => trace.TokenIds.Count == 0);
    }

    [Fact]
    public void The_card_counts_what_is_there_and_what_was_left_out()
    {
        Write(Graded(), keptOnly: true);
        string card = File.ReadAllText(folder["out/README.md"]);

        int kept = traces.Select(SamplePublication.Graded).Count(graded => graded.Keep);
        card.ShouldContain($"{kept} completions of 32 problems by tiny-reasoner (aaaaaaaaaaaa)");
        card.ShouldContain("size_categories:\n- \"n\\u003C1K\"\n");
        card.ShouldContain("license: \"other\"\nlicense_name: \"openai-terms\"\n");
        card.ShouldContain("| correct | 32 |");
        card.ShouldContain("| truncated | 16 |");
        card.ShouldContain("| wrong | 32 |");
        card.ShouldContain("| completion, tokens | ");
        card.ShouldContain("| teacher | \\u202Eteacher\\| &lt;b> | [openai-terms](https://openai.com/policies/services-agreement/) | ");
        card.ShouldContain("| source | gsm8k | not stated | not known here |");
        card.ShouldContain($"| traces | `{new string('d', 64)}` |");
    }

    [Fact]
    public void Lengths_are_those_of_the_published_rows()
    {
        var statistics = TraceStatistics.Of(Graded(), keptOnly: true);
        var lengths = traces.Select(SamplePublication.Graded).Where(graded => graded.Keep)
            .Select(graded => (long)graded.Trace.CompletionTokens).Order().ToList();

        statistics.CompletionTokens.Longest.ShouldBe(lengths[^1]);
        statistics.CompletionTokens.Median.ShouldBe(lengths[(lengths.Count - 1) / 2]);
        statistics.CompletionTokens.P95.ShouldBe(lengths[(int)Math.Ceiling(0.95 * lengths.Count) - 1]);
    }

    [Fact]
    public void Croissant_names_files_fields_licence_and_origin()
    {
        var files = Write(Graded(), keptOnly: true);
        var root = JsonDocument.Parse(File.ReadAllText(folder["out/croissant.json"])).RootElement;

        root.GetProperty("conformsTo").GetString().ShouldBe("http://mlcommons.org/croissant/1.1");
        root.GetProperty("license").GetString().ShouldBe("https://openai.com/policies/services-agreement/");
        root.GetProperty("datePublished").GetString().ShouldBe("2026-11-28");
        root.GetProperty("prov:wasDerivedFrom")[0].GetProperty("@id").GetString().ShouldBe($"urn:sha256:{new string('d', 64)}");
        var distribution = root.GetProperty("distribution").EnumerateArray().ToList();
        distribution.Take(files.Count).Select(file => file.GetProperty("sha256").GetString()).ShouldBe(files.Select(file => file.Sha256));
        var fields = root.GetProperty("recordSet")[0].GetProperty("field").EnumerateArray().ToList();
        fields.Select(field => field.GetProperty("name").GetString()).ShouldBe(TraceColumns.Graded.Select(column => column.Name));
        fields.Single(field => field.GetProperty("name").GetString() == "token_ids")
            .GetProperty("dataType").GetString().ShouldBe("cr:Int32");
        string[] ids = [.. Ids(root)];
        ids.ShouldBeUnique();
        References(root).Where(reference => !reference.StartsWith("urn:", StringComparison.Ordinal)).Except(ids).ShouldBeEmpty();
    }

    [Fact]
    public void What_is_there_stays_unless_it_is_to_be_replaced()
    {
        folder.File("out/mine.txt", "mine");
        Should.Throw<CommitConflictException>(() => Write(Graded(), keptOnly: true)).Message.ShouldContain("--replace");
        File.ReadAllText(folder["out/mine.txt"]).ShouldBe("mine");

        Write(TraceSet.Of(folder["graded.parquet"]), keptOnly: true, new DatasetFolderOptions { Replace = true });
        File.Exists(folder["out/mine.txt"]).ShouldBeFalse();
    }

    [Fact]
    public void Graded_and_ungraded_files_are_not_mixed_and_strangers_are_named()
    {
        TraceFile.Write(folder["mixed/a.parquet"], traces);
        TraceFile.Write(folder["mixed/b.parquet"], traces.Select(SamplePublication.Graded));
        Should.Throw<InvalidDataException>(() => TraceSet.Of(folder["mixed"])).Message.ShouldContain("graded and ungraded");
        Should.Throw<InvalidDataException>(() => TraceSet.Of(folder["absent"])).Message.ShouldContain("absent");
    }

    // An object with @id and nothing else is a reference; with more it is a definition.
    private static IEnumerable<string> Ids(JsonElement value) => Identified(value)
        .Where(item => item.TryGetProperty("@type", out _)).Select(item => item.GetProperty("@id").GetString()!);

    private static IEnumerable<string> References(JsonElement value) => Identified(value)
        .Where(item => item.EnumerateObject().Count() == 1).Select(item => item.GetProperty("@id").GetString()!);

    private static IEnumerable<JsonElement> Identified(JsonElement value) =>
        Objects(value).Where(item => item.TryGetProperty("@id", out _));

    private static IEnumerable<JsonElement> Objects(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Where(property => property.Name != "@context")
            .SelectMany(property => Objects(property.Value)).Prepend(value),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Objects),
        _ => [],
    };

    private TraceSet Graded()
    {
        if (!File.Exists(folder["graded.parquet"])) TraceFile.Write(folder["graded.parquet"], traces.Select(SamplePublication.Graded));
        return TraceSet.Of(folder["graded.parquet"]);
    }

    private IReadOnlyList<ArtifactFile> Write(TraceSet set, bool keptOnly, DatasetFolderOptions? options = null)
    {
        LicensedPart[] parts = [new("source", "gsm8k", null), new("teacher", "\u202eteacher| <b>", "openai-terms")];
        var publication = new Publication
        {
            Title = "Traces", Statistics = TraceStatistics.Of(set, keptOnly), IsGraded = set.IsGraded, KeptOnly = keptOnly,
            Licensed = parts, Licence = "openai-terms", Published = new DateOnly(2026, 11, 28),
            Lineage = [new LineageStep("traces", new string('d', 64))],
        };
        return DatasetFolder.Write(folder["out"], set, publication, options);
    }
}

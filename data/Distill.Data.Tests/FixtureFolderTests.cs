namespace Distill.Data.Tests;

/// <summary>Where tests find golden values: whoever clones the repository must run those that it holds.</summary>
public sealed class FixtureFolderTests
{
    private static readonly string Ours =
        Path.Combine(RepositoryFolder.Root, "data", "Distill.Data.Tests", "Golden", "tokenizers", "small");

    [Fact]
    public void The_repositorys_own_values_are_cases_with_and_without_a_larger_set() =>
        FixtureFolder.Cases("tokenizers/small").ShouldContain(Path.Combine(Ours, "llama-like"));

    [Fact]
    public void A_case_of_both_sources_has_two_rows_and_the_second_is_the_repositorys()
    {
        string[] rows = [.. FixtureFolder.Rows(["small/llama-like", "small/other", "small/llama-like"]).Select(row => row.Data)];
        rows.Length.ShouldBe(3);
        rows[..2].ShouldBe(["small/llama-like", "small/other"]);
        rows[2].ShouldNotBe(rows[0]);
        FixtureFolder.Require("tokenizers", rows[2]).ShouldBe(Path.Combine(Ours, "llama-like"));
        FixtureFolder.RequireFile("tokenizers", rows[2], "tokenizer.json").ShouldBe(Path.Combine(Ours, "llama-like", "tokenizer.json"));
    }

    [Fact]
    public void An_area_without_cases_has_one_row_that_skips()
    {
        string only = FixtureFolder.Rows([]).Select(row => row.Data).ShouldHaveSingleItem();
        FixtureFolder.Places("tokenizers", only).ShouldAllBe(path => !Directory.Exists(path));
    }

    [Fact]
    public void Beside_every_set_of_the_repository_stands_where_it_comes_from()
    {
        string[] areas = [.. FixtureFolder.Places("").Skip(1).SelectMany(Directory.GetDirectories)];
        areas.ShouldContain(Path.GetDirectoryName(Ours)!);
        foreach (string area in areas) File.Exists(Path.Combine(area, "PROVENANCE.md")).ShouldBeTrue(area);
    }
}

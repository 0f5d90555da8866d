using Distill.Hub;

namespace Distill.Data.Tests.Hub;

public sealed class HubSelectionTests
{
    // Each row was asked of Python's fnmatchcase, by which huggingface_hub reads patterns; a trailing slash is its own addition.
    [Theory]
    [InlineData("*.json", "config.json", true)]
    [InlineData("*.json", "a/b/config.json", true)]
    [InlineData("a/*.json", "a/b/c.json", true)]
    [InlineData("[!a]*", "abc", false)]
    [InlineData("[!a]*", "bbc", true)]
    [InlineData("[ab].txt", "b.txt", true)]
    [InlineData("[]].txt", "].txt", true)]
    [InlineData("[!]]x", "]x", false)]
    [InlineData("[^a]", "^", true)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[a-c]x", "dx", false)]
    [InlineData("a[", "a[", true)]
    [InlineData("?.txt", "é.txt", true)]
    [InlineData("*.JSON", "a.json", false)]
    [InlineData("a.b", "axb", false)]
    [InlineData("onnx/", "onnx/model.onnx", true)]
    [InlineData("onnx/", "onnx", false)]
    public void Patterns_mean_what_they_mean_in_Python(string pattern, string path, bool fits)
    {
        new HubSelection { Include = [pattern] }.Wants(path).ShouldBe(fits);
        new HubSelection { Exclude = [pattern] }.Wants(path).ShouldBe(!fits);
    }

    [Fact]
    public void A_file_has_to_fit_one_that_includes_and_none_that_excludes()
    {
        var selection = new HubSelection { Include = ["*.json", "*.onnx"], Exclude = ["old/*"] };
        string[] paths = ["a.json", "b.onnx", "c.bin", "old/a.json"];
        paths.Where(selection.Wants).ShouldBe(["a.json", "b.onnx"]);
    }

    [Fact]
    public void A_hostile_pattern_takes_no_time() =>
        new HubSelection { Include = [string.Concat(Enumerable.Repeat("*a", 200)) + "b"] }.Wants(new string('a', 1000))
            .ShouldBeFalse();
}

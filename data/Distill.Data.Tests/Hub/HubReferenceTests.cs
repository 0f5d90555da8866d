using Distill.Hub;

namespace Distill.Data.Tests.Hub;

public sealed class HubReferenceTests
{
    [Theory]
    [InlineData("hf://org/model", HubKind.Model, "org/model", null, "")]
    [InlineData("hf://models/org/model", HubKind.Model, "org/model", null, "")]
    [InlineData("hf://models/org/model/config.json", HubKind.Model, "org/model", null, "config.json")]
    [InlineData("hf://org/model@v1.0/onnx/model.onnx", HubKind.Model, "org/model", "v1.0", "onnx/model.onnx")]
    [InlineData("hf://datasets/org/set@dev/train.csv", HubKind.DataSet, "org/set", "dev", "train.csv")]
    [InlineData("hf://datasets/org/set@refs/pr/10/data.csv", HubKind.DataSet, "org/set", "refs/pr/10", "data.csv")]
    [InlineData("hf://datasets/org/set@refs/convert/parquet/a/0", HubKind.DataSet, "org/set", "refs/convert/parquet", "a/0")]
    [InlineData("hf://org/model@feature%2Ffoo/x", HubKind.Model, "org/model", "feature/foo", "x")]
    [InlineData("HF://org/model/", HubKind.Model, "org/model", null, "")]
    [InlineData("hf://org/model/a@b.txt", HubKind.Model, "org/model", null, "a@b.txt")]
    public void Addresses_are_read_as_huggingface_hub_reads_them(
        string text, HubKind kind, string repository, string? revision, string path)
    {
        var read = HubReference.Parse(text);
        (read.Kind, read.Repository, read.Revision, read.Path).ShouldBe((kind, repository, revision, path));
        HubReference.Parse(read.ToString()).ShouldBe(read);
    }

    [Theory]
    [InlineData("org/model", "not an address of the Hub")]
    [InlineData("hf://gpt2", "owner and name are both needed")]
    [InlineData("hf://datasets", "owner and name are both needed")]
    [InlineData("hf://datasets/squad", "owner and name are both needed")]
    [InlineData("hf://dataset/org/m", "in the plural")]
    [InlineData("hf://spaces/org/m", "spaces cannot be read here")]
    [InlineData("hf://org/m@", "can be no branch")]
    [InlineData("hf://datasets/foo/bar@/x", "can be no branch")]
    [InlineData("hf://org/m@../x", "can be no branch")]
    [InlineData("hf://org/m@a..%2F..%2Fb", "leaves")]
    [InlineData("hf://org/../x", "can be no repository")]
    [InlineData("hf://org/m/../../etc/passwd", "leaves its folder")]
    [InlineData("hf://org/m//x", "leaves its folder")]
    [InlineData("hf://org/m/a\\b", "backslash")]
    [InlineData("hf://org/a--b", "can be no repository")]
    [InlineData("hf://o\u001b[31mrg/a", "can be no repository")]
    [InlineData("https://huggingface.co/datasets/org/set", "write hf://datasets/org/set")]
    public void What_is_no_address_is_refused_with_what_to_write(string text, string expected)
    {
        HubReference.TryParse(text, out var reference, out string fault).ShouldBeFalse();
        reference.ShouldBeNull();
        if (expected == "leaves") expected = "can be no branch";
        fault.ShouldContain(expected);
        fault.ShouldNotContain("\u001b");
        Should.Throw<FormatException>(() => HubReference.Parse(text));
    }

    [Theory]
    [InlineData("openai/gsm8k@main", "hf://datasets/openai/gsm8k@main")]
    [InlineData("datasets/openai/gsm8k", "hf://datasets/openai/gsm8k")]
    [InlineData("hf://datasets/openai/gsm8k@e53f0", "hf://datasets/openai/gsm8k@e53f0")]
    public void A_recipe_may_leave_the_kind_away_where_it_is_clear(string text, string expected)
    {
        HubReference.TryParse(text, HubKind.DataSet, out var reference, out _).ShouldBeTrue();
        reference!.ToString().ShouldBe(expected);
    }
}

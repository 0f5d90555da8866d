using Distill.Data.Sources;

namespace Distill.Data.Tests.Sources;

public sealed class DataSetFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_card_says_which_files_are_which_split()
    {
        Card("""
            license: mit
            configs:
            - config_name: main
              default: true
              data_files:
              - split: train
                path: main/train-*
              - split: test
                path: [main/test-*.jsonl, main/more.jsonl]
            - config_name: socratic
              data_files: socratic/*.jsonl
            """);
        Touch("main/train-00000-of-00001.jsonl", "main/test-0.jsonl", "main/more.jsonl", "socratic/a.jsonl");

        Names(null, "train").ShouldBe(["main/train-00000-of-00001.jsonl"]);
        Names("main", "test").ShouldBe(["main/test-0.jsonl", "main/more.jsonl"]);
        Names("socratic", "train").ShouldBe(["socratic/a.jsonl"]);
        DataSetFolder.LicenceOf(folder.Path).ShouldBe("mit");
        Should.Throw<InvalidDataException>(() => Names("other", "train")).Message.ShouldContain("it has main, socratic");
        Should.Throw<InvalidDataException>(() => Names("main", "validation")).Message.ShouldContain("only train, test");
        DataSetFolder.DeclaredPatterns(folder.Path, "main", "test").ShouldBe(["main/test-*.jsonl", "main/more.jsonl"]);
    }

    [Theory]
    [InlineData("license: [cc-by-4.0]", "cc-by-4.0")]
    [InlineData("license:\n- mit", "mit")]
    [InlineData("license: other\nlicense_name: openai-terms", "openai-terms")]
    [InlineData("license: [other]\nlicense_name: openai-terms", "openai-terms")]
    [InlineData("license: other", "other")]
    [InlineData("license: mit\nlicense_name: openai-terms", "mit")]
    [InlineData("license: [mit, apache-2.0]", null)]
    public void The_licence_is_what_the_card_means(string card, string? licence)
    {
        Card(card);
        DataSetFolder.LicenceOf(folder.Path).ShouldBe(licence);
    }

    [Fact]
    public void Without_a_card_names_and_folders_say_it()
    {
        Touch("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", "data/dev-00000-of-00001.parquet",
            "my_test_file.csv",
            "notes.txt", "dataset_infos.json");

        Names(null, "train").ShouldBe(["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"]);
        Names(null, "validation").ShouldBe(["data/dev-00000-of-00001.parquet"]);
        Names(null, "test").ShouldBe(["my_test_file.csv"]);
        DataSetFolder.LicenceOf(folder.Path).ShouldBeNull();
        DataSetFolder.DeclaredPatterns(folder.Path, null, "train").ShouldBeNull();
    }

    [Fact]
    public void Where_no_name_says_anything_all_is_for_training()
    {
        Touch("a.jsonl", "b.jsonl.gz");
        Names(null, "train").ShouldBe(["a.jsonl", "b.jsonl.gz"]);
        Should.Throw<InvalidDataException>(() => Names(null, "test")).Message.ShouldContain("only train");
    }

    [Fact]
    public void A_configuration_may_be_a_folder()
    {
        Touch("en/train.jsonl", "de/train.jsonl");
        Names("de", "train").ShouldBe(["train.jsonl"]);
    }

    [Theory]
    [InlineData("../secrets.jsonl"), InlineData("/etc/passwd")]
    public void A_card_leads_nowhere_else(string pattern)
    {
        Card($"configs:\n- config_name: main\n  data_files: \"{pattern}\"\n");
        Should.Throw<InvalidDataException>(() => Names(null, "train")).Message.ShouldContain("outside its folder");
    }

    [Fact]
    public void A_card_that_is_no_yaml_is_named()
    {
        Card("configs: [");
        Should.Throw<InvalidDataException>(() => Names(null, "train")).Message.ShouldContain("not valid YAML");
    }

    [Fact]
    public void Several_configurations_without_a_default_ask_for_a_name()
    {
        Card("configs:\n- config_name: a\n  data_files: a.jsonl\n- config_name: b\n  data_files: b.jsonl\n");
        Touch("a.jsonl", "b.jsonl");
        Should.Throw<InvalidDataException>(() => Names(null, "train")).Message.ShouldContain("several configurations; name one of a, b");
    }

    private string[] Names(string? config, string split) => [.. DataSetFolder.Files(folder.Path, config, split).Select(file => file.Name)];

    private void Card(string yaml) => folder.File("README.md", $"---\n{yaml.TrimEnd()}\n---\n# Card\n");

    private void Touch(params string[] names)
    {
        foreach (string name in names) folder.File(name, "");
    }
}

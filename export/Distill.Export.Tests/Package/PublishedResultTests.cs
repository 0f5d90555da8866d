using Distill.Export.Package;
using Distill.Export.Tests.Support;

namespace Distill.Export.Tests.Package;

/// <summary>Results in the forms that model hubs read: huggingface/hub-docs, modelcard.md and eval_results.yaml.</summary>
public sealed class PublishedResultTests
{
    private static readonly PublishedResult s_hub =
        new("GSM8K: \"main\"", "openai/gsm8k", "main", "test", 0.4125, 400, 0.365, 0.461, "greedy") { TaskId = "gsm8k" };

    private static readonly PublishedResult s_own = new("held-out problems", null, null, "test", 1, 20, 0.839, 1, "greedy");

    [Fact]
    public void The_cards_header_lists_all_and_the_Hubs_files_those_of_its_data_sets()
    {
        using var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, TinyModels.Weights(TinyModels.Qwen3), TinyModels.Tokenizer(50),
            new() { Name = "mine: a model", Published = [s_hub, s_own] });
        File.ReadAllText(folder.File("README.md")).ShouldContain("""
            model-index:
            - name: "mine: a model"
              results:
              - task:
                  type: text-generation
                dataset:
                  name: "GSM8K: \"main\""
                  type: "openai/gsm8k"
                  config: "main"
                  split: "test"
                metrics:
                - type: accuracy
                  value: 41.25
                  name: "greedy, n = 400, 95 % 36.5–46.1"
              - task:
                  type: text-generation
                dataset:
                  name: "held-out problems"
                  type: "problems"
                  split: "test"
                metrics:
                - type: accuracy
                  value: 100.0
                  name: "greedy, n = 20, 95 % 83.9–100.0"
            ---

            """.ReplaceLineEndings("\n"));
        Directory.GetFiles(folder.File(".eval_results")).Select(Path.GetFileName).ShouldBe(["gsm8k-gsm8k.yaml"]);
        File.ReadAllText(folder.File(".eval_results/gsm8k-gsm8k.yaml")).ShouldBe("""
            - dataset:
                id: "openai/gsm8k"
                task_id: "gsm8k"
              value: 41.25
              notes: "greedy, n = 400, 95 % 36.5–46.1"

            """.ReplaceLineEndings("\n"));
        PackageIntegrity.Check(folder.Path, full: true).ShouldBeEmpty();
    }

    [Fact]
    public void Only_a_named_task_on_the_test_split_is_a_file_and_its_name_leads_nowhere_else()
    {
        (s_hub with { TaskId = null }).FileName.ShouldBeNull();
        (s_hub with { Split = "train" }).FileName.ShouldBeNull();
        Should.Throw<InvalidDataException>(() => (s_hub with { TaskId = "../x" }).FileName).Message.ShouldContain("../x");
    }
}

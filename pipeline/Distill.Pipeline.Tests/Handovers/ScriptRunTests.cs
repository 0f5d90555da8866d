using Distill.Pipeline.Tests.CommandLine;
using Distill.Pipeline.Tests.Runs;
using Distill.Pipeline.Tests.Testing;

namespace Distill.Pipeline.Tests.Handovers;

/// <summary>
/// The scripts for TRL to their end, over stand-ins of the classes that they call: what a stand-in takes is what was read of the real ones.
/// </summary>
public sealed class ScriptRunTests(PipelineRunTests.FinishedRun finished) : IClassFixture<PipelineRunTests.FinishedRun>, IDisposable
{
    private const string Trl = """
        class Config:
            def __init__(self, **given):
                self.__dict__.update(given)
        class SFTConfig(Config): pass
        class DPOConfig(Config): pass
        class GRPOConfig(Config): pass
        class Accelerator:
            is_main_process = True
        class Trainer:
            def __init__(self, **given):
                self.__dict__.update(given)
                self.accelerator = Accelerator()
            def train(self):
                print("trains on", len(self.train_dataset), "rows,", self.args.gradient_accumulation_steps, "a step")
            def save_model(self, folder): print("saves", folder.rsplit("/", 2)[-2:])
        class SFTTrainer(Trainer): pass
        class DPOTrainer(Trainer): pass
        class GRPOTrainer(Trainer):
            def train(self):
                super().train()
                ids = [row["problem_id"] for row in self.train_dataset.rows[:2]]
                given = dict(prompts=[], completions=[], completion_ids=[[7, 1], [7]], problem_id=ids, trainer_state=None)
                print("rewards", self.reward_funcs(**given))
        """;

    private const string Datasets = """
        import json
        class Rows:
            def __init__(self, rows): self.rows = rows
            def __len__(self): return len(self.rows)
            def __iter__(self): return iter(self.rows)
            def select(self, places): return Rows([self.rows[at] for at in places])
            def select_columns(self, names): return Rows([{name: row[name] for name in names} for row in self.rows])
            def remove_columns(self, names): return Rows([{k: v for k, v in row.items() if k not in names} for row in self.rows])
        class Sets(dict):
            def select_columns(self, names): return Sets({name: rows.select_columns(names) for name, rows in self.items()})
        def load_dataset(kind, data_files, split=None):
            read = lambda file: Rows([json.loads(line) for line in open(file)])
            return read(data_files) if split else Sets({name: read(file) for name, file in data_files.items()})
        """;

    private const string Transformers = """
        import json
        class EarlyStoppingCallback:
            def __init__(self, patience): pass
        class AutoModelForCausalLM:
            from_pretrained = staticmethod(lambda folder, dtype: folder)
        class Tokenizer:
            def apply_chat_template(self, prompt, **how):
                rows = [json.loads(line) for line in open("data/train.jsonl")]
                return {"input_ids": next(row["prompt_ids"] for row in rows if row["prompt"] == prompt)}
            def get_added_vocab(self): return {"<think>": 5, "</think>": 6}
            def decode(self, ids, skip_special_tokens): return " ".join(map(str, ids))
            def save_pretrained(self, folder): pass
        class AutoTokenizer:
            from_pretrained = staticmethod(lambda folder: Tokenizer())
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("sft", "train_sft.py")]
    [InlineData("rl", "train_grpo.py", "rewards [0.0, 0.0]")]
    public void A_script_reads_its_data_divides_its_batch_and_saves(string stage, string script, string more = "")
    {
        Assert.SkipWhen(Python.Missing, Python.Reason);
        string place = folder["handed"];
        var handed = CommandLineRun.Of(
            "handover", "small", "--to", "trl", "--stage", stage, "--out", place, "--runs", finished.Folder.Path);
        handed.Code.ShouldBe(0, handed.Error);
        // Beside the scripts, where they are looked for first.
        foreach (var (name, text) in ((string, string)[])[("trl", Trl), ("datasets", Datasets), ("transformers", Transformers)])
            folder.File($"handed/{name}.py", text);
        folder.File("handed/trl-1.10.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: trl\nVersion: 1.10.0\n");
        var (code, said) = Python.Script(place, script, $"dotnet {DistillProcess.Tool}");
        code.ShouldBe(0, said);
        said.ShouldContain("trains on 4");
        said.ShouldContain("saves ['trained', 'final']");
        said.ShouldContain("Take it back with: distill export");
        said.ShouldContain(more);
        said.ShouldNotContain("look at its release notes");
    }
}

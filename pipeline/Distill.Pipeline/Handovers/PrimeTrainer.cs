using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Handovers;

/// <summary>
/// prime-rl: one TOML file for its <c>sft</c> or <c>rl</c>, and for the latter a package with the problems, the rewards and the loss of the
/// recipe. Preference tuning it has none.
/// </summary>
internal sealed class PrimeTrainer : ITrainer
{
    private const string Package = "distill_handover", Environment = "environment";

    public string Name => "prime-rl";

    public string Read => "prime-rl 0.8.0 (commit 559b447, 2026-08-21) with verifiers (commit a60a606)";

    public IReadOnlyList<string> Stages { get; } = [HandedTraining.Supervised, HandedTraining.Reinforcement];

    public OptionMap Translate(HandedTraining training)
    {
        bool isSupervised = training.Stage == HandedTraining.Supervised;
        var map = isSupervised ? PrimeOptions.Supervised(training) : PrimeOptions.Reinforcement(training);
        if (!isSupervised) return map;
        double alike = new HandedData(training).RenderedAlike();
        string share = alike.ToString("P0", CultureInfo.InvariantCulture);
        if (alike == 1) map.Same("", null, "data.name", "data", "its template gives every example the tokens that the run trains on");
        else
        {
            map.Fixed("data.name", "data", "");
            map.Missing("", null, $"its template gives only {share} of the examples the run's own tokens; TRL takes the tokens");
        }

        return map;
    }

    public IReadOnlyList<string> Write(string folder, HandedTraining training, OptionMap options)
    {
        var data = new HandedData(training);
        var told = options.Configuration.DeepClone().AsObject();
        told.Remove("rewards");
        bool isSupervised = training.Stage == HandedTraining.Supervised;
        string file = isSupervised ? "sft.toml" : "rl.toml", command = isSupervised ? "sft" : "rl";
        if (isSupervised) data.Supervised(Path.Combine(folder, "data", "train.jsonl"), heldOut: false);
        else
        {
            WriteEnvironment(folder, training, data, options.Configuration["rewards"]!);
            told["orchestrator"]!["train"]!["source"] = new JsonArray(Source());
            told["inference"] = new JsonObject();
        }

        string[] heading = [$"Written by 'distill handover'; options as {Read} has them.", $"uv run {command} @ {file}"];
        File.WriteAllText(Path.Combine(folder, file), TomlText.Write(told, heading), new UTF8Encoding(false));
        string[] install = isSupervised ? [] : [$"uv pip install -e {Environment}     # problems, rewards and loss"];
        return
        [
            .. install, $"uv run {command} @ {file} --dry-run     # checks the configuration and starts nothing",
            $"uv run {command} @ {file}",
            "distill export WEIGHTS --handover HERE     # and back, where the run lies; WEIGHTS as safetensors",
        ];
    }

    private static JsonObject Source() => new()
    {
        ["name"] = "handover",
        ["env"] = new JsonObject
        {
            ["taskset"] = new JsonObject { ["id"] = Package.Replace('_', '-') },
            ["agent"] = new JsonObject
            {
                ["harness"] = new JsonObject { ["id"] = "null" }, ["runtime"] = new JsonObject { ["type"] = "subprocess" },
            },
        },
    };

    private static void WriteEnvironment(string folder, HandedTraining training, HandedData data, JsonNode rewards)
    {
        string package = Path.Combine(folder, Environment, Package);
        Trainers.WriteScripts(package, "answers.py", "taskset.py", "loss.py");
        data.Prompts(Path.Combine(package, "prompts.jsonl"), tokens: false);
        data.Problems(Path.Combine(package, "problems.jsonl"));
        data.Sample(Path.Combine(package, "reward-sample.jsonl"));
        var told = new JsonObject { ["rewards"] = rewards.DeepClone() };
        Write(Path.Combine(package, "options.json"), told.ToJsonString(CanonicalJson.Spelling) + "\n");
        const string Exports = "from distill_handover.taskset import HandedTaskset\n\n__all__ = [\"HandedTaskset\"]\n";
        Write(Path.Combine(package, "__init__.py"), Exports);
        Write(Path.Combine(folder, Environment, "pyproject.toml"), TomlText.Write(new JsonObject
        {
            ["project"] = new JsonObject
            {
                ["name"] = Package.Replace('_', '-'), ["version"] = "0.1.0", ["requires-python"] = ">=3.11",
                ["description"] = $"Training problems and rewards of the run {training.Run}.",
            },
            ["build-system"] = new JsonObject { ["requires"] = new JsonArray("hatchling"), ["build-backend"] = "hatchling.build" },
            ["tool"] = new JsonObject
            {
                ["hatch"] = new JsonObject
                {
                    ["build"] = new JsonObject
                        { ["targets"] = new JsonObject { ["wheel"] = new JsonObject { ["packages"] = new JsonArray(Package) } } },
                },
            },
        }, []));

        static void Write(string path, string content) => File.WriteAllText(path, content, new UTF8Encoding(false));
    }
}

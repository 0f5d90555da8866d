using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.Pipeline.Recipes;

namespace Distill.Pipeline.Handovers;

/// <summary>
/// TRL: a script for each training over <c>options.json</c>, started by accelerate on as many processes as there are. The data hold tokens,
/// so that nothing is encoded again.
/// </summary>
internal sealed class TrlTrainer : ITrainer
{
    private const string Version = "1.10.0";

    public string Name => "trl";

    public string Read => $"TRL {Version}.dev0 (commit f2cd577, 2026-07-24)";

    public IReadOnlyList<string> Stages => HandedTraining.Stages;

    public OptionMap Translate(HandedTraining training) => training.Stage switch
    {
        HandedTraining.Supervised => TrlOptions.Supervised(training),
        HandedTraining.Preference => TrlOptions.Preference(training),
        HandedTraining.Reinforcement => TrlReinforcement.Of(training),
        _ => throw new ArgumentException($"No such training: {training.Stage}.", nameof(training)),
    };

    public IReadOnlyList<string> Write(string folder, HandedTraining training, OptionMap options)
    {
        var data = new HandedData(training);
        var told = options.Configuration.DeepClone().AsObject();
        told["trl"] = Version;
        told["data"] = new JsonArray([.. Data(folder, training, data).Select(name => (JsonNode?)name)]);
        string text = told.ToJsonString(new(CanonicalJson.Spelling) { WriteIndented = true, NewLine = "\n" }) + "\n";
        Write("options.json", text);
        bool isMixed = options.Configuration["config"]!["bf16"]!.GetValue<bool>();
        Write("accelerate.yaml", Accelerate(isMixed ? "bf16" : options.Configuration["config"]!["fp16"]!.GetValue<bool>() ? "fp16" : "no"));
        string adapters = options.Configuration["lora"] is null ? "" : "peft\n";
        Write("requirements.txt", $"trl>={Version},<2\ntransformers>=5.8\naccelerate>=1.7\ndatasets>=4.7\n{adapters}");
        string script = training.Stage switch
        {
            HandedTraining.Supervised => "train_sft.py", HandedTraining.Preference => "train_dpo.py", _ => "train_grpo.py",
        };
        Trainers.WriteScripts(folder, "handed.py", script);
        return
        [
            "pip install -r requirements.txt",
            $"python {script}     # on one device; on eight, the weights in shards (FSDP):",
            $"accelerate launch --config_file accelerate.yaml --num_processes 8 {script}",
            "distill export HERE/trained/final --handover HERE     # and back, where the run lies",
        ];

        void Write(string name, string content) => File.WriteAllText(Path.Combine(folder, name), content, new UTF8Encoding(false));
    }

    private static IEnumerable<string> Data(string folder, HandedTraining training, HandedData data)
    {
        string train = Path.Combine(folder, "data", "train.jsonl");
        switch (training.Stage)
        {
            case HandedTraining.Supervised:
                data.Supervised(train, heldOut: false);
                if (training.Examples.HeldOut.Count == 0) return ["train"];
                data.Supervised(Path.Combine(folder, "data", "held_out.jsonl"), heldOut: true);
                return ["train", "held_out"];
            case HandedTraining.Preference:
                data.Pairs(train);
                return ["train"];
            default:
                data.Prompts(train, tokens: true);
                data.Problems(Path.Combine(folder, "problems.jsonl"));
                data.Sample(Path.Combine(folder, "reward-sample.jsonl"));
                Trainers.WriteScripts(folder, "answers.py");
                return ["train"];
        }
    }

    // JSON is YAML.
    private static string Accelerate(string precision) => "# For accelerate launch --config_file; processes and machines are yours.\n"
        + new JsonObject
        {
            ["compute_environment"] = "LOCAL_MACHINE",
            ["distributed_type"] = "FSDP",
            ["fsdp_config"] = new JsonObject
            {
                ["fsdp_version"] = 2,
                ["fsdp_auto_wrap_policy"] = "TRANSFORMER_BASED_WRAP",
                ["fsdp_reshard_after_forward"] = true,
                ["fsdp_cpu_ram_efficient_loading"] = true,
                ["fsdp_state_dict_type"] = "FULL_STATE_DICT",
            },
            ["mixed_precision"] = precision,
            ["machine_rank"] = 0,
            ["num_machines"] = 1,
            ["num_processes"] = 8,
            ["main_training_function"] = "main",
            ["use_cpu"] = false,
        }.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n";
}

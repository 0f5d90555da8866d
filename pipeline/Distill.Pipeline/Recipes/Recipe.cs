using Distill.Pipeline.Handovers;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Tracking;
using Distill.Teacher.Remote.Judging;

namespace Distill.Pipeline.Recipes;

/// <summary>A whole, valid description of one piece of work: immutable, every default filled in. See <see cref="RecipeFile"/>.</summary>
public abstract record Recipe : ISection
{
    internal const string OwnSeed = "seed of this part alone";

    internal const string PrecisionMeaning =
        "arithmetic of a step: `fp32`, `mixed` (bf16 matrix products over fp32 weights; fp32 throughout on a processor that has no fast "
        + "ones, which `distill doctor` says) or `fp16` (with a loss scale; for devices without bf16, slow on a CPU)";

    internal const string OptimizerMeaning =
        "`adamw`, or `muon` for the matrices of the layers (AdamW for the rest): more is learned from as many tokens, at the same "
        + "rates. An update costs about 5 × width / tokens of a step's work, on a processor on one thread: it is for steps of many tokens";

    internal const string Tf32Meaning =
        "on a card: round the factors of fp32 products to TF32, ten bits of fraction. In `fp32` that is all of "
        + "them, in `mixed` and `fp16` those of the output projection; without effect on a processor";

    internal const string ThreadsMeaning = "training threads; part of the result, because sums are grouped by thread";

    private protected Recipe()
    {
    }

    /// <summary>Name of the run folder unless <c>--name</c> gives another: lower-case letters, digits, <c>-</c>, <c>_</c>,
    /// <c>.</c>.</summary>
    [Option("name of the run's folder, of a-z, 0-9, `-`, `_` and `.`", Required = true)]
    public string Name { get; internal init; } = "";

    /// <summary>Everything random follows from this number, where a section has no seed of its own.</summary>
    [Option("everything random follows from it; a section's own `seed` goes before it", Minimum = 0, Maximum = long.MaxValue)]
    public long Seed { get; internal init; }

    /// <summary>Where models run and are trained, unless a section has its own.</summary>
    [Option("where models are trained and run: `auto` takes a CUDA card where everything for it is there, and `plan` says what it took and "
        + "why; asked for by name and not there, a card is a fault; teacher.device and student.device go before it",
        Words = nameof(DeviceWords), DecidesResult = false)]
    public string Device { get; internal init; } = DeviceChoice.Auto;

    internal static IReadOnlyList<string> DeviceWords => DeviceChoice.Words;

    /// <summary>The devices of this machine.</summary>
    internal RecipeDevices Devices { get; init; } = RecipeDevices.OfMachine;

    /// <summary>What was given as <c>hf://</c>; says nothing that the options do not say.</summary>
    internal PulledModels Pulled { get; init; } = PulledModels.None;

    object? ISection.DefaultOf(string property, Recipe recipe) => null;

    IEnumerable<Rule> ISection.Rules(Recipe recipe) =>
        [Rule.Require(RunName.IsValid(Name), nameof(Name), "not usable as a folder name", RunName.Rule), .. OwnRules()];

    private protected virtual IEnumerable<Rule> OwnRules() => [];
}

/// <summary>
/// problems → teacher traces → curation → student (answers only; steps; preferences; reinforcement) → ONNX → parity → evaluation:
/// what <c>distill run</c> runs. One record per section; every value stands with its default and range where it is declared.
/// </summary>
public sealed record DistillationRecipe : Recipe
{
    internal DistillationRecipe()
    {
    }

    [Option("what every prompt begins with")]
    internal PromptSection Prompt { get; init; } = new();

    [Option("the model that solves the training problems")]
    internal TeacherSection Teacher { get; init; } = new();

    [Option("further teachers, with the same keys: each solves all training problems too, or those of its `domains`, and what all of them "
        + "wrote is learned. Budgets of `traces` are each teacher's own; `rl.teacher_weight` and the comparison ask `teacher` alone",
        Minimum = 0, Maximum = 16, Default = "none")]
    internal IReadOnlyList<TeacherSection> Teachers { get; init; } = [];

    [Option("where the traces come from, and how many completions are asked for")]
    internal TraceSection Traces { get; init; } = new();

    [Option("what is asked")]
    internal ProblemSection Problems { get; init; } = new();

    [Option("a model that judges answers, where `problems.verifier` or a problem itself asks for `judge`", Default = "none")]
    internal JudgeSection? Judge { get; init; }

    [Option("which graded traces are kept; wrong, truncated, malformed and repeated ones never are")]
    internal CurationSection Curation { get; init; } = new();

    [Option("the model that is changed")]
    internal StudentSection Student { get; init; } = new();

    [Option("fine-tuning on the kept traces")]
    internal TrainingSection Sft { get; init; } = new();

    [Option("low-rank adapters over frozen weights in fine-tuning", Default = "none: the weights themselves are trained")]
    internal LoraSection? Lora { get; init; }

    [Option("the `sft` student learns the teacher's alternatives to each token too", Default = "none: hard labels alone")]
    internal SoftLabelSection? SoftLabels { get; init; }

    [Option("a second student trained without the steps, to show what the steps are worth", From = "sft")]
    internal TrainingSection AnswerOnly { get; init; } = new();

    [Option("tuning by preferences between the student's own completions", Default = "none")]
    internal PreferenceSection? Preference { get; init; }

    [Option("reinforcement with verifiable rewards")]
    internal ReinforcementSection Rl { get; init; } = new();

    [Option("a student that another trainer made of what `distill handover` gave it, in the place of that training; `distill export FOLDER "
        + "--handover HANDOVER` writes this section", Default = "none")]
    internal ReturnedSection? Returned { get; init; }

    [Option("the ONNX folder that apps load")]
    internal ExportSection Export { get; init; } = new();

    [Option("the gate between the trained and the exported model")]
    internal ParitySection Parity { get; init; } = new();

    [Option("the same measurement for every model of the run")]
    internal EvaluationSection Evaluation { get; init; } = new();

    [Option("go on from the last promoted student, with what is new since", Default = "none")]
    internal ContinuationSection? ContinueFrom { get; init; }

    [Option("when the exported model takes the place of the one that applications load", Default = "none: nothing is replaced")]
    internal PromotionSection? Promote { get; init; }

    [Option("what may go out, and under which licence")]
    internal PublishSection Publish { get; init; } = new();

    [Option("who else is told what the run measures", Default = "none, or as the environment says")]
    internal TrackingSection? Tracking { get; init; }

    /// <summary>All that are asked for traces, <c>teacher</c> first.</summary>
    internal IEnumerable<TeacherSection> TraceWriters => Teachers.Prepend(Teacher);

    /// <summary>Where a teacher stands in a recipe.</summary>
    /// <param name="index">Among <see cref="TraceWriters"/>.</param>
    internal static string PathOfTeacher(int index) => index == 0 ? "teacher" : $"teachers[{index - 1}]";

    /// <summary>What cards and reports say wrote the traces: the teachers, or where they were taken from.</summary>
    internal string TraceOrigin => Traces.From is { } place ? ModelName.Of(place)
        : string.Join(" and ", TraceWriters.Select(teacher => teacher.Name).Distinct());

    private protected override IEnumerable<Rule> OwnRules()
    {
        yield return Rule.Require(Traces.From is null || Teachers.Count == 0, nameof(Teachers),
            "traces.from takes existing traces: nobody is asked", "leave it or traces.from out");
        yield return Rule.Require(Teachers.Count == 0 || Traces.Preflight is null, nameof(Teachers), "traces.preflight tries one teacher",
            "leave one of the two out; `distill generate` of a recipe with that teacher alone tries another");
        yield return Rule.Require(Teachers.Count == 0 || SoftLabels is null, nameof(Teachers),
            "soft_labels are the alternatives of one teacher", "leave one of the two out");
        yield return Rule.Require(SoftLabels is null || Traces.From is not null || Teacher.TopLogProbabilities is not null,
            nameof(SoftLabels),
            "the teacher records no alternatives to its tokens",
            Teacher.Remote is null ? "set teacher.top_log_probabilities, e.g. to 16"
                : "set teacher.token_ids to true and teacher.top_log_probabilities, e.g. to 16, where the endpoint is a server of vLLM; "
                    + "others give no tokens, and a teacher from a model folder does");
        yield return Rule.Require(Judge is not null || !Problems.VerifierNames().Contains(JudgeVerifier.JudgeName), nameof(Judge),
            "problems ask for a judge, and there is none",
            "write judge: { endpoint: ..., model: ..., api_key_env: ... }, or choose another problems.verifier");
        yield return Rule.Unused(!Sft.Enabled, nameof(SoftLabels), "sft.enabled is false, and no other student learns them",
            "leave it out, or set sft.enabled to true");
        yield return Rule.Unused(!Sft.Enabled && !AnswerOnly.Enabled, nameof(Lora),
            "sft.enabled is false, and adapters are trained in fine-tuning",
            "leave it out, or set sft.enabled to true");
        yield return Rule.Require(Sft.Enabled || Preference is not null || Rl.Steps > 0, nameof(Sft),
            "nothing trains the student: sft, preference and rl are off",
            "set sft.enabled to true, rl.steps above 0, or add preference");
    }
}

/// <summary>A small model from nothing: what <c>distill pretrain</c> runs (<c>kind: pretrain</c>).</summary>
internal sealed record PretrainRecipe : Recipe
{
    [Option("folder that the finished model is put in", Required = true, Path = PathUse.Place)]
    public string Output { get; init; } = "";

    [Option("folder of a checkpoint to start from instead of random weights; its shape must be that of `architecture`", Default = "none",
        Path = PathUse.Folder, Pulls = PulledModel.Checkpoint, Files = ["config.json"], Remedy = "make it with the recipe that the "
            + "comments name, or leave start out")]
    public string? Start { get; init; }

    [Option("true: an ONNX model folder; false: a checkpoint")]
    public bool Export { get; init; }

    [Option("trained on the data of the recipe, or taken from another model")]
    public TokenizerSection Tokenizer { get; init; } = new();

    [Option("the shape of a Qwen3-style decoder with tied embeddings")]
    public ArchitectureSection Architecture { get; init; } = new();

    [Option("an endless mixture of solved problems, problem texts and single-step facts")]
    public PretrainDataSection Data { get; init; } = new();

    [Option("the optimiser's steps")]
    public PretrainTrainingSection Training { get; init; } = new();
}

/// <summary>What a run may be called: one folder name on every file system, never a path.</summary>
internal static class RunName
{
    public const string Rule = "use 1 to 64 of a-z 0-9 - _ . and begin with a letter or digit";

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= 64
        && (char.IsAsciiLetterLower(name[0]) || char.IsAsciiDigit(name[0]))
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.');
}

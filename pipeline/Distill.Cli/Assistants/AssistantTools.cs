using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Distill.Data.Problems;
using Distill.Hub;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Assistants;

/// <summary>
/// What an assistant may do: the commands of this program that look, and with leave those that start and stop runs. Thread-safe.
/// </summary>
/// <param name="runs">The folder of runs, inside the roots.</param>
/// <param name="models">Where recipes that are run pull models from; null where nothing may be started.</param>
internal sealed partial class AssistantTools(AssistantRoots roots, string runs, IModelSource? models, TimeProvider clock)
{
    private const int MostTraces = 1000;

    private static readonly ToolArgument Run = new("run", ArgumentKind.Text, "Name of a run.", IsRequired: true);

    private static readonly ToolArgument Recipe =
        new("recipe", ArgumentKind.Text, "Path of a recipe (YAML), relative to the first root.", IsRequired: true);

    private static readonly ToolArgument Changes = new(
        "set", ArgumentKind.Texts, "Changes of the recipe, each KEY=VALUE, e.g. sft.epochs=3.", Most: 64);

    private static readonly ToolArgument Name = new("name", ArgumentKind.Text, "Name of the run. Default: the recipe's.");

    private readonly DetachedRuns detached = new(runs);

    public IReadOnlyList<AssistantTool> All =>
    [
        new("plan", "Plan a run", "What running a recipe would do: every stage, whether it is cached and why, memory, what is wrong "
            + "with it. Changes nothing.", [Recipe, Changes, Name, .. BoundedAnswer.Paging], ToolEffect.Reads, HoldsTexts: false, Plan),
        new("preview", "Look at problems", "Problems as a model is asked them, with reference answer, split and verifier: of a file, a "
            + "recipe, or generated families such as arithmetic:2,words:1.",
            [new("source", ArgumentKind.Text, "File, folder, recipe, or families.", IsRequired: true), .. BoundedAnswer.Paging],
            ToolEffect.Reads, HoldsTexts: true, Preview),
        new("runs", "List runs", "The runs there are, the last changed first, with state and stages.", [.. BoundedAnswer.Paging],
            ToolEffect.Reads, HoldsTexts: false,
            (call, cancellation) => BoundedAnswer.Page(Inner(cancellation, "runs", "ls"), "runs", call)),
        new("status", "Look after a run", "State of a run: its stages, what is at work with its progress, and what was said last.",
            [Run], ToolEffect.Reads, HoldsTexts: true, Status),
        new("compare", "Compare two runs", "What differs between two runs: recipe values, artefacts, and results with paired tests over "
            + "the problems that both were asked.",
            [new("before", ArgumentKind.Text, "Name of a run.", IsRequired: true),
                new("after", ArgumentKind.Text, "The run to compare with it.", IsRequired: true)],
            ToolEffect.Reads, HoldsTexts: false, (call, cancellation) =>
                Inner(cancellation, "runs", "diff", NameOf(call.Text("before")), NameOf(call.Text("after")))),
        new("traces", "Read traces", "Completions with problem, reasoning, answer, reference answer and verdict; by pages, or one whole by "
            + "the problem's id.",
            [
                Run, new("verdict", ArgumentKind.Text, "correct, incorrect or undecidable."),
                new("reason", ArgumentKind.Text, "Only those left out for this reason, e.g. truncated."),
                new("domain", ArgumentKind.Text, "Only those of this domain."),
                new("problem", ArgumentKind.Text, "Id of a problem: its traces, whole."), .. BoundedAnswer.Paging,
            ],
            ToolEffect.Reads, HoldsTexts: true, Traces),
        new("report", "Read a report", "Numbers of a finished run's report: accuracy with intervals, comparisons, parity, curation. "
            + "Without a part: the names of all parts.",
            [Run, new("part", ArgumentKind.Text, "Path of a part, e.g. evaluations or comparisons.0.")],
            ToolEffect.Reads, HoldsTexts: true, Report),
        new("doctor", "Look at the machine", "What this machine can do, what is missing and how to get it.", [], ToolEffect.Reads,
            HoldsTexts: false, Doctor),
        .. models is null ? Array.Empty<AssistantTool>() :
        [
            new("run", "Start a run", "Starts a recipe as a process of its own and returns at once; it goes on when this conversation "
                + "ends. Finished stages are not done again. Ask for its status.", [Recipe, Changes, Name], ToolEffect.Starts,
                HoldsTexts: false, Begin),
            new("resume", "Continue a run", "Continues a run where it stopped, with the recipe it was started with; returns at once.",
                [Run], ToolEffect.Starts, HoldsTexts: false, Resume),
            new("stop", "Stop a run", "Has a run stop at its next safe point; nothing finished is lost, and resume goes on.", [Run],
                ToolEffect.Ends, HoldsTexts: false, (call, _) => new JsonObject
                {
                    ["stopping"] = NameOf(call.Text("run")), ["process"] = detached.Stop(NameOf(call.Text("run"))),
                }),
        ],
    ];

    private JsonNode Inner(CancellationToken cancellation, params IReadOnlyList<string> words) =>
        InnerCommand.Run([.. words, "--runs", runs], clock, cancellation);

    private JsonObject Plan(ToolCall call, CancellationToken cancellation)
    {
        string recipe = roots.RequireRecipe(call.Text("recipe"), call.Texts("set"), models);
        string[] words = ["plan", recipe, .. ChangesOf(call), .. NameWords(call)];
        return BoundedAnswer.Page(Inner(cancellation, words), "stages", call);
    }

    private JsonObject Preview(ToolCall call, CancellationToken cancellation)
    {
        string source = call.Text("source");
        if (HubReference.IsReference(source))
            throw new UsageException(
                "Data sets of the Hub are not looked at by assistants.", "Pull it with 'distill pull' and give its folder.");
        bool isRecipe = source.EndsWith(".yaml", StringComparison.Ordinal) || source.EndsWith(".yml", StringComparison.Ordinal);
        string place = IsFamilies(source) ? source : isRecipe ? roots.RequireRecipe(source, [], models) : roots.Require(source);
        int skip = call.Number("skip", 0), count = Math.Max(1, call.Number("count", BoundedAnswer.UsualCount));
        string[] words = ["problems", "show", place, "--skip", $"{skip}", "--count", $"{count}"];
        var answer = InnerCommand.Run(words, clock, cancellation).AsObject();
        if (answer["problems"]?.AsArray().Count == count) answer["next_skip"] = skip + count;
        return answer;
    }

    private JsonObject Status(ToolCall call, CancellationToken cancellation)
    {
        string name = NameOf(call.Text("run"));
        var status = Inner(cancellation, "runs", "show", name).AsObject();
        foreach (var (key, value) in detached.Live(name)) status[key] = value?.DeepClone();
        return status;
    }

    private JsonObject Traces(ToolCall call, CancellationToken cancellation)
    {
        int most = call.Number("skip", 0) + Math.Max(1, call.Number("count", BoundedAnswer.UsualCount));
        if (most > MostTraces) throw new UsageException($"More than {MostTraces} traces are not passed over.", "Narrow them down.");
        List<string> words = ["traces", "show", NameOf(call.Text("run")), "--limit", $"{most}"];
        foreach (string option in (string[])["verdict", "reason", "domain", "problem"])
        {
            if (call.OptionalText(option) is { } word) words.Add($"--{option}={word}"); // never an option of its own
        }

        var answer = Inner(cancellation, words).AsObject();
        bool more = answer["more"]?.GetValue<bool>() ?? false;
        answer.Remove("more");
        var page = BoundedAnswer.Page(answer, "traces", call);
        page.Remove("total"); // it would take reading them all
        if (more) page["next_skip"] = most;
        return page;
    }

    private JsonNode? Report(ToolCall call, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var folder = RunCatalogue.Require(runs, NameOf(call.Text("run")));
        if (!File.Exists(folder.ReportJsonPath))
            throw new UsageException($"The run '{folder.Name}' has no report yet.", "Ask for its status.");
        var report = JsonNode.Parse(File.ReadAllText(folder.ReportJsonPath));
        return call.OptionalText("part") is { } part ? BoundedAnswer.Part(report, part)
            : new JsonObject { ["parts"] = BoundedAnswer.Names(report) };
    }

    // What is missing is what was asked for, and no fault of the tool.
    private JsonNode? Doctor(ToolCall call, CancellationToken cancellation)
    {
        try
        {
            return Inner(cancellation, "doctor");
        }
        catch (ToolFaultException fault) when (fault.Answer?["findings"] is not null)
        {
            return fault.Answer;
        }
    }

    private JsonObject Begin(ToolCall call, CancellationToken cancellation)
    {
        string recipe = roots.RequireRecipe(call.Text("recipe"), call.Texts("set"), models);
        string name = call.OptionalText("name") ?? RecipeFile.Load<DistillationRecipe>(recipe, call.Texts("set"), true, models).Name;
        cancellation.ThrowIfCancellationRequested();
        int process = detached.Begin(["run", recipe, .. ChangesOf(call), "--name", NameOf(name), "--runs", runs], name);
        return Started(name, process);
    }

    private JsonObject Resume(ToolCall call, CancellationToken cancellation)
    {
        string name = NameOf(call.Text("run"));
        roots.RequireRecipe(RunCatalogue.Require(runs, name).RecipePath, [], models);
        cancellation.ThrowIfCancellationRequested();
        return Started(name, detached.Begin(["resume", name, "--runs", runs], name));
    }

    private JsonObject Started(string name, int process) =>
        new() { ["run"] = name, ["folder"] = Path.Combine(runs, name), ["process"] = process, ["next"] = "status" };

    private static IEnumerable<string> ChangesOf(ToolCall call) => call.Texts("set").SelectMany(change => (string[])["--set", change]);

    private static string[] NameWords(ToolCall call) => call.OptionalText("name") is { } name ? ["--name", NameOf(name)] : [];

    // Nothing of the name may lie where the roots or this process would look: only then no file is read.
    private bool IsFamilies(string source) => Families().IsMatch(source) && ProblemFamilies.TryGet(source.Split(',', ':')[0]) is not null
        && !Path.Exists(source) && !Path.Exists(Path.Combine(roots.First, source));

    // A run is named, never a path; and no word of an assistant's becomes an option.
    private static string NameOf(string name) => RunName.IsValid(name) ? name
        : throw new UsageException($"{JsonSerializer.Serialize(name)} is no name of a run.", $"{RunName.Rule}.");

    [GeneratedRegex(@"^[a-z][a-z_-]*(:\d{1,3})?(,[a-z][a-z_-]*(:\d{1,3})?)*$")]
    private static partial Regex Families();
}

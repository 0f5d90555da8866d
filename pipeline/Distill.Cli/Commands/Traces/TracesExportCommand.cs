using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Cli.Progress;
using Distill.Data.Publishing;
using Distill.Data.Publishing.Formats;
using Distill.Data.Publishing.Licences;
using Distill.Pipeline.Runs;

namespace Distill.Cli.Commands.Traces;

/// <summary><c>distill traces export</c>.</summary>
internal sealed class TracesExportCommand : DistillCommand
{
    private readonly Argument<string> source = TraceSource.Argument();

    private readonly Option<string> format = CommandOptions.Word(
        "--format", "hf: a folder for the Hugging Face Hub with card and Croissant metadata. "
            + string.Concat(TraceFormats.All.Select(format => $"{format.Name}: {format.Meaning}. ")).TrimEnd(),
        [.. TraceFormats.Names], TraceFormats.Folder);

    private readonly Option<string> output = new("--out")
    {
        HelpName = "PATH", Required = true,
        Description = "The folder (hf), or the file: JSON lines, or Parquet where its name ends in .parquet.",
    };

    private readonly Option<bool> all =
        new("--all") { Description = "Of graded traces also those that were dropped; without it only the kept." };

    private readonly Option<bool> replace = new("--replace") { Description = "Replace what is there." };
    private readonly Option<bool> noTokens = new("--no-tokens") { Description = "hf: leave out token ids and log-probabilities." };
    private readonly Option<string> title =
        new("--title") { HelpName = "T", Description = "hf: what the card calls it. Default: the run's name." };

    private readonly Option<string> creator =
        new("--creator") { HelpName = "NAME", Description = "hf: who publishes it, for the metadata." };

    private readonly PublishOptions publish = new();
    private readonly Option<string> runs = RunArguments.RunsOption();

    public TracesExportCommand()
        : base("export", "Writes traces for others: as a data set folder, or as a file in a format that trainers read. "
            + "A licence that the policy rules out refuses the folder with exit code 3.")
    {
        Arguments.Add(source);
        Option[] own = [output, format, all, replace, noTokens, title, creator];
        foreach (var option in own.Concat(publish.All).Append(runs)) Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill traces export quickstart --format hf --out published/quickstart",
        "distill traces export quickstart --format messages --out train.jsonl",
        "distill traces export runs/quickstart/2-traces --format openr1 --out openr1.parquet",
        "distill traces export quickstart --out published/q --licence mit --forbid non-commercial",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string place = parsed.GetRequiredValue(output), name = parsed.GetRequiredValue(format);
        var found = TraceSource.Find(parsed.GetRequiredValue(source), parsed.GetRequiredValue(runs), context);
        return name == TraceFormats.Folder ? WriteFolder(found, place, parsed, context) : WriteFile(found, place, name, parsed, context);
    }

    private int WriteFile(TraceSource found, string place, string name, ParseResult parsed, CommandContext context)
    {
        OutputPlace.RequireFile("--out", place);
        bool keptOnly = !parsed.GetValue(all);
        context.Progress.Begin("export", place);
        var traces = TraceProgress.Of(found.Traces.Read(keptOnly), found.Traces.Artifact?.Manifest.Rows ?? 0, context);
        var format = TraceFormats.Get(name);
        long rows = ForeignFile.IsParquet(place) ? TraceExport.WriteParquet(place, traces, format, parsed.GetValue(replace))
            : TraceExport.WriteLines(place, traces, format, parsed.GetValue(replace));
        context.Progress.End();
        if (context.IsJson) context.Results.Json(new { path = place, format = name, rows });
        context.Results.Line($"{rows:N0} {(format.IsRowPerProblem ? "problems" : "traces")} as {name}: {place}"
            + (found.Traces.IsGraded && keptOnly ? " (kept ones; --all takes the others too)" : ""));
        return ExitCode.Done;
    }

    private int WriteFolder(TraceSource found, string place, ParseResult parsed, CommandContext context)
    {
        OutputPlace.RequireFolder("--out", place);
        bool keptOnly = !parsed.GetValue(all);
        var policy = publish.Policy(parsed, found);
        var parts = publish.Parts(parsed, found);
        Refuse(policy.Conflicts(parts));
        context.Progress.Begin("export", place);
        var statistics = TraceStatistics.Of(found.Traces, keptOnly);
        if (statistics.Rows == 0)
            throw new InvalidDataException($"'{found.Traces.Name}' holds no trace to publish; --all takes dropped ones.");
        var publication = new Publication
        {
            Title = parsed.GetValue(title) ?? (found.Run is { } run ? $"{run.Name}: reasoning traces" : "Reasoning traces"),
            Statistics = statistics,
            IsGraded = found.Traces.IsGraded,
            KeptOnly = keptOnly,
            Licensed = parts,
            Licence = policy.LicenceOf(parts),
            Lineage = found.Lineage(),
            Creator = parsed.GetValue(creator) ?? "unknown",
            Published = DateOnly.FromDateTime(context.Clock.GetUtcNow().UtcDateTime),
        };
        var files = DatasetFolder.Write(place, found.Traces, publication, new DatasetFolderOptions
        {
            Replace = parsed.GetValue(replace), KeepTokens = !parsed.GetValue(noTokens),
        });
        context.Progress.End();
        if (context.IsJson)
        {
            context.Results.Json(new
            {
                path = place, format = TraceFormats.Folder, statistics.Rows, statistics.Problems, publication.Licence, files,
            });
        }

        context.Results.Line($"{statistics.Rows:N0} traces of {statistics.Problems:N0} problems in {files.Count:N0} files, "
            + $"licence {publication.Licence}: {place}");
        return ExitCode.Done;
    }

    private static void Refuse(IReadOnlyList<LicenceConflict> conflicts)
    {
        if (conflicts.Count == 0) return;
        throw new GateFailedException("Not published, for the policy rules it out: " + string.Join("; ", conflicts)
            + ". Take other parts, or change 'publish' in the recipe (--licence, --allow, --forbid).");
    }

}

/// <summary>What a command may say of licences, before or instead of a recipe.</summary>
internal sealed class PublishOptions
{
    private readonly Option<string> licence = new("--licence")
    {
        HelpName = "ID",
        Description = "hf: licence of what is published, e.g. mit. Default: publish.licence of the run's recipe, else what "
            + "follows from the parts.",
    };

    private readonly Option<string> teacherLicence = new("--teacher-licence")
    {
        HelpName = "ID", Description = "hf: licence or terms of the teacher, e.g. apache-2.0 or openai-terms. Default: teacher.licence.",
    };

    private readonly Option<string[]> sourceLicence =
        Many("--source-licence", "NAME=ID", "hf: licence of a source of problems; may be repeated.");

    private readonly Option<string[]> allow = Many("--allow", "ID", "hf: the only licences that parts may have; may be repeated.");

    private readonly Option<string[]> forbid = Many(
        "--forbid", "WORD", $"hf: what no part may have: a licence, or {string.Join(", ", PublishPolicy.Words)}; may be repeated.");

    public IEnumerable<Option> All => [licence, teacherLicence, sourceLicence, allow, forbid];

    public PublishPolicy Policy(ParseResult parsed, TraceSource source)
    {
        var recipe = source.Recipe()?.Publish.ToPolicy() ?? new PublishPolicy();
        return recipe with
        {
            Licence = parsed.GetValue(licence) ?? recipe.Licence,
            Allow = parsed.GetValue(allow) is { Length: > 0 } allowed ? allowed : recipe.Allow,
            Forbid = parsed.GetValue(forbid) is { Length: > 0 } forbidden ? forbidden : recipe.Forbid,
        };
    }

    /// <summary>Sources of the problems, then the teachers.</summary>
    /// <exception cref="UsageException">An option is no NAME=ID.</exception>
    public IReadOnlyList<LicensedPart> Parts(ParseResult parsed, TraceSource source)
    {
        var stated = (parsed.GetValue(sourceLicence) ?? []).Select(Pair).ToDictionary(pair => pair.Name, pair => pair.Id);
        var recipe = source.Recipe();
        string? given = parsed.GetValue(teacherLicence);
        var known = source.Sources();
        IEnumerable<LicensedPart> added = stated.Where(pair => known.All(part => part.Name != pair.Key))
            .Select(pair => new LicensedPart("source", pair.Key, pair.Value));
        IEnumerable<LicensedPart> teachers = recipe is not null
            ? recipe.TraceWriters.Select(teacher => new LicensedPart("teacher", teacher.Name, LicenceOf(teacher.Licence)))
            : given is null ? [] : [new("teacher", "teacher", given)];
        // What is given speaks of the one teacher; of several, of those of which the recipe states nothing.
        string? LicenceOf(string own) => own.Length == 0 ? given : recipe.Teachers.Count > 0 ? own : given ?? own;
        return
        [
            .. known.Select(part => part with { Licence = stated.GetValueOrDefault(part.Name) ?? part.Licence }), .. added, .. teachers,
        ];
    }

    private static (string Name, string Id) Pair(string word) => word.Split('=', 2) is [{ Length: > 0 } name, { Length: > 0 } id]
        ? (name, id)
        : throw new UsageException($"--source-licence {ShellWord.Quoted(word)} is no NAME=ID.", "Write e.g. --source-licence gsm8k=mit.");

    private static Option<string[]> Many(string name, string value, string description) => new(name)
    {
        HelpName = value, Description = description, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false,
    };
}

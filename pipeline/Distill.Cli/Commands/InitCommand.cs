using System.CommandLine;
using System.Text;
using Distill.Architecture;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Data.Problems;
using Distill.Data.Sources;
using Distill.Data.Sources.Formats;
using Distill.Data.Sources.Selection;
using Distill.Hub;
using Distill.Pipeline.Problems;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Tokenization;
using Distill.Verification.Named;

namespace Distill.Cli.Commands;

/// <summary><c>distill init</c>: a file of problems → a recipe that <c>distill plan</c> accepts.</summary>
internal sealed class InitCommand : DistillCommand
{
    private readonly Argument<string> file = new("FILE")
    {
        Description = "The problems: a file or pattern (.jsonl, .json, .csv, .tsv, .parquet), "
            + "a data set's folder, or hf://datasets/owner/name.",
    };

    private readonly Option<string?> teacher = new("--teacher")
    {
        HelpName = "MODEL",
        Description = "What solves the problems: a model's folder, hf://owner/name, or the address of "
            + "an OpenAI-compatible endpoint. Default: the "
            + "student itself.",
    };

    private readonly Option<string?> teacherModel =
        new("--teacher-model") { HelpName = "NAME", Description = "With an endpoint: the model's name there." };

    private readonly Option<string?> apiKeyEnv =
        new("--api-key-env") { HelpName = "VARIABLE", Description = "With an endpoint: environment variable that holds its key." };

    private readonly Option<string?> student =
        new("--student") { HelpName = "MODEL",
            Description = "What learns: a checkpoint's folder (config.json, safetensors) or hf://owner/name." };

    private readonly Option<string> output = new("--out")
        { HelpName = "FILE", Description = "The recipe. Default recipe.yaml.", DefaultValueFactory = _ => "recipe.yaml" };

    private readonly SourceArguments arguments;

    public InitCommand()
        : base("init", "Writes a recipe for your own problems: looks at the file, guesses how it is written "
            + "and who can grade it, and says why.")
    {
        Arguments.Add(file);
        foreach (var option in (Option[])[teacher, teacherModel, apiKeyEnv, student, output]) Options.Add(option);
        arguments = new SourceArguments(this);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill init data/train.jsonl --teacher https://api.example.com/v1 --teacher-model big --student models/small",
        "distill init data/train.csv --question title --answer result --student hf://HuggingFaceTB/SmolLM2-135M-Instruct",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        string place = parsed.GetRequiredValue(file), recipe = parsed.GetRequiredValue(output);
        if (SourceArguments.IsRecipe(place))
            throw new UsageException($"'{place}' is a recipe already.", "Give the file of your problems.");
        if (File.Exists(recipe)) throw new UsageException($"'{recipe}' is there already.", "Give another place by --out, or remove it.");
        OutputPlace.RequireFile("--out", recipe);
        var entry = arguments.EntryOf(place, parsed);
        var problems = RecipeProblems.Of(new ProblemSection { Sources = [entry], OnBadRow = BadRows.Skip });
        SourceArguments.RequireFiles(problems);
        var source = (FileSource)problems.Sources[0].ToSource(null, questionsOnly: false)!;
        if (source.Format is not { } format) throw new InvalidDataException($"'{place}' has no row that can be read.");
        var pool = problems.Pool(context.Cancellation);
        var found = InitFindings.Of(entry, format, source, pool);
        var sketch = SketchOf(place, recipe, found, parsed, context);
        string yaml = sketch.ToYaml();
        File.WriteAllText(recipe, yaml, new UTF8Encoding(false));
        Show(recipe, found, sketch, FaultsOf(recipe), context);
        return ExitCode.Done;
    }

    private RecipeSketch SketchOf(string place, string recipe, InitFindings found, ParseResult parsed, CommandContext context)
    {
        string learner = parsed.GetValue(student)
            ?? Confirmation.AskText(context, "Folder of the small model that learns (or hf://owner/name):")
            ?? throw new UsageException("Which model learns?", "Give the folder of a checkpoint by --student, or hf://owner/name.");
        string solver = parsed.GetValue(teacher)
            ?? Confirmation.AskText(context,
                "What solves the problems: a model's folder or an endpoint's address (empty: the student itself)?")
            ?? learner;
        bool isRemote = solver.Contains("://", StringComparison.Ordinal) && !HubReference.IsReference(solver);
        string? name = !isRemote ? null : parsed.GetValue(teacherModel)
            ?? Confirmation.AskText(context, "The model's name at the endpoint:")
            ?? throw new UsageException("Which model of the endpoint?", "Give its name by --teacher-model.");
        string folder = Path.GetDirectoryName(Path.GetFullPath(recipe))!;
        var sizes = StudentSizes.Of(learner);
        return new RecipeSketch
        {
            Name = RunNameOf(found.Entry.Name),
            Source = found.Entry,
            Place = HubReference.IsReference(place) ? place : Relative(place, folder),
            Counts = found.Counts,
            Verifier = found.Verifier,
            SkipsBadRows = found.Bad > 0,
            Teacher = isRemote || HubReference.IsReference(solver) ? solver : Relative(solver, folder),
            TeacherModel = name,
            ApiKeyEnv = !isRemote ? null : parsed.GetValue(apiKeyEnv)
                ?? (RecipeSketch.NetworkOf(solver) is null ? "OPENAI_API_KEY" : null),
            Student = HubReference.IsReference(learner) ? learner : Relative(learner, folder),
            Positions = sizes?.Positions,
            Width = sizes?.Width,
            AddsMarks = sizes is not { HasMarks: true } && solver != learner
                && (isRemote || StudentSizes.Of(solver) is not { HasMarks: false }),
        };
    }

    private static void Show(string recipe, InitFindings found, RecipeSketch sketch, IReadOnlyList<string> faults, CommandContext context)
    {
        if (context.IsJson)
        {
            context.Results.Json(new
            {
                recipe, format = found.Format, verifier = found.Verifier, rows = found.Rows, bad = found.Bad,
                train = found.Counts.Train, validation = found.Counts.Validation, test = found.Counts.Test, faults,
            });
            return;
        }

        foreach (string line in found.Reasons) Line(context.Results, line);
        context.Results.Line();
        context.Results.Line($"recipe   {recipe}");
        context.Results.Line($"next     distill plan {ShellWord.Quoted(recipe)}");
        context.Results.Line($"then     distill run {ShellWord.Quoted(recipe)}");
        if (sketch.ApiKeyEnv is { } variable && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable)))
            context.Results.Line($"first    put the endpoint's key into the environment variable {sketch.ApiKeyEnv}");
        if (faults.Count == 0) return;
        context.Results.Line();
        context.Results.Line("Still to be mended in it:");
        foreach (string fault in faults) Line(context.Results, fault);
    }

    private static void Line(ResultWriter results, string text)
    {
        foreach (string line in WrappedText.Lines(text, 2)) results.Line(line);
    }

    private static IReadOnlyList<string> FaultsOf(string recipe)
    {
        try
        {
            _ = RecipeFile.Load<DistillationRecipe>(recipe);
            return [];
        }
        catch (InvalidRecipeException invalid)
        {
            // What is on the Hub is brought by the run itself.
            return [.. invalid.Problems.Where(problem => problem.Fault != "not on this machine").Select(problem => problem.ToString())];
        }
    }

    private static string Relative(string path, string folder) => Path.GetRelativePath(folder, Path.GetFullPath(path)).Replace('\\', '/');

    private static string RunNameOf(string source)
    {
        string name = new([.. source.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')]);
        name = name.TrimStart('-', '_', '.');
        return RunName.IsValid(name) ? name : "own";
    }

    /// <summary>What a student's folder says of it; null where it is not here yet.</summary>
    private sealed record StudentSizes(int Positions, int Width, bool HasMarks)
    {
        public static StudentSizes? Of(string folder)
        {
            if (!ModelFolders.IsCheckpoint(folder)) return null;
            var architecture = Checkpoint.Open(folder).Architecture;
            return new(architecture.MaxPositions, architecture.HiddenSize, ChatEncoder.Load(folder).MarksThinking);
        }
    }
}

/// <summary>What was found out about somebody's problems, and why it is thought so.</summary>
internal sealed record InitFindings(
    SourceSection Entry, string Format, string Verifier, long Rows, long Bad, (int Train, int Validation, int Test) Counts,
    IReadOnlyList<string> Reasons)
{
    public static InitFindings Of(SourceSection entry, IProblemFormat format, FileSource source, ProblemPool pool)
    {
        var report = pool.Reports[0];
        var counts = (report.Left.GetValueOrDefault(Split.Train), report.Left.GetValueOrDefault(Split.Validation),
            report.Left.GetValueOrDefault(Split.Test));
        var reasons = new List<string> { $"{report.Rows:N0} rows, read as {format.Name}: {format.Description}." };
        entry = Named(entry, format, source, reasons);
        string verifier = VerifierOf(pool, reasons);
        reasons.Add($"{counts.Item1:N0} problems to train on, {counts.Item2:N0} for validation, "
            + $"{counts.Item3:N0} for test: by a hash of each question.");
        foreach (var (reason, count) in report.Dropped) reasons.Add($"{count:N0} left out: {ProblemArtifact.Spoken(reason)}.");
        if (pool.Dropped.FirstOrDefault(row => row.Reason is DropReason.BadRow or DropReason.UnreadableGold) is { } bad)
            reasons.Add($"The first bad row: {bad.Place}: {bad.Detail}. 'distill problems check' lists all.");
        if (counts.Item3 == 0) reasons.Add("No problem is left for test: give more rows, or name test_sources in the recipe.");
        return new(entry, format.Name, verifier, report.Rows, report.Bad, counts, reasons);
    }

    // What was found by looking is written down, so that a later row with another column does not change it.
    private static SourceSection Named(SourceSection entry, IProblemFormat format, FileSource source, List<string> reasons)
    {
        entry = entry with { Format = format.Name };
        if (format is not ColumnsFormat) return entry;
        entry = entry with
        {
            Question = entry.Question ?? source.OfFirstRow(ColumnsFormat.QuestionColumn),
            Answer = entry.Answer ?? source.OfFirstRow(ColumnsFormat.AnswerColumn),
        };
        reasons.Add($"The question is in '{entry.Question}', the reference answer in '{entry.Answer}'.");
        return entry;
    }

    private static string VerifierOf(ProblemPool pool, List<string> reasons)
    {
        var names = pool.All().CountBy(problem =>
            problem.Verifier == ProblemMaker.Auto ? AutoVerifier.ChosenFor(problem).Name : problem.Verifier)
            .OrderByDescending(pair => pair.Value).ToList();
        if (names.Count == 0) return ProblemMaker.Auto;
        string counts = string.Join(", ", names.Select(pair => $"{pair.Value:N0} by {pair.Key}"));
        reasons.Add(names.Count == 1 ? $"Answers are graded by {names[0].Key}, as all of them look."
            : $"Answers are graded each as it looks: {counts}.");
        return names.Count == 1 && names[0].Key is "math" or "choice" or "exact" ? names[0].Key : ProblemMaker.Auto;
    }
}

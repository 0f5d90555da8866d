using System.Text;
using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Teacher;
using Distill.Teacher.Remote.Collection;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// A small sample before the teacher is asked for days: what would be thrown away, and what the whole will take. Its completions are the
/// run's own and are kept like them, so they are neither generated nor paid twice. Exceeded limits end the run; nothing is committed then,
/// and the next try finds the same completions.
/// </summary>
internal sealed class PreflightStage(DistillationRecipe recipe, PreflightSection limits) : IStage
{
    public const string StageName = "preflight", ReportName = "preflight.json";

    public StageDeclaration Declaration { get; } = new()
    {
        Name = StageName,
        Folder = "2-preflight",
        Kind = "preflight",
        Version = 1,
        Inputs = [ProblemsStage.Train, ExternalInputs.Teacher],
        GateOf = TracesStage.StageName,
        Options = StageDeclaration.OptionsOf(
        [
            ("name", recipe.Teacher.Name),
            ("teacher", recipe.Teacher.ToKey(recipe)),
            ("device", recipe.Devices.TeacherKey(recipe)),
            ("prompt", PromptSection.KeyOf(recipe.Prompt.ToTeacherStyle())),
            ("preflight", limits.ToKey(recipe)),
            ("traces", recipe.Traces.ToKey(recipe)),
            ("verifiers", RecipeVerifiers.VersionsOf(recipe)),
            ("prices", TraceSampling.PricesOf(recipe, limits.MaxCost ?? recipe.Traces.MaxCost)),
        ]),
        Resource = StageResource.Model,
    };

    public string Work =>
        $"{Math.Min(limits.Problems, recipe.Problems.Train):N0} problems once each; their completions are the run's own";

    public StageMemory? Memory => recipe.Teacher.IsLocal
        ? ModelMemory.ForCompletions(
            recipe.Teacher.Model, recipe.Teacher.Slots, recipe.Teacher.MaxTokens, recipe.Devices.TeacherKey(recipe) is not null)
        : null;

    public StageLoad Load(Foresight earlier)
    {
        bool isLocal = recipe.Teacher.IsLocal;
        long rows = Math.Min(limits.Problems, earlier.Rows(ProblemsStage.Train) ?? recipe.Problems.Train);
        return new(isLocal ? WorkKind.Completions : WorkKind.Requests, rows)
        {
            // Without prices: its completions are counted with the traces, which they are part of.
            Model = ExternalInputs.Teacher, MaxTokens = recipe.Teacher.MaxTokens,
            Setting = isLocal ? TraceLoad.SettingOf(recipe) : "",
        };
    }

    public string Run(StageContext context)
    {
        using var problems = ProblemParts.Of(context.Input(ProblemsStage.Train), []);
        var chosen = problems.Spread(limits.Problems);
        var (traces, tokensPerSecond, generated) = recipe.Teacher.Remote is { } endpoint
            ? Ask(context, endpoint, chosen) : Generate(context, chosen);
        RequireSome(traces, chosen.Count, context);
        using var verifiers = RecipeVerifiers.Open(context, recipe);
        verifiers.Prepare(traces.Select(trace => (trace.Problem, trace.Answer)), traces.Count);
        var report = PreflightReport.Of(
            traces, trace => verifiers.All.Of(trace.Problem).Verify(trace.Answer, trace.Problem), problems.Count,
            recipe.Traces.ToPolicy(recipe.Teacher.Samples), recipe.Traces.ToBudget(), recipe.Teacher.Remote?.Prices);
        context.Worked(new WorkDone(
            traces.Count, traces.Sum(trace => (long)trace.PromptTokens), traces.Sum(trace => (long)trace.CompletionTokens),
            Units: generated));
        if (tokensPerSecond > 0) Tell(context, report, tokensPerSecond);
        if (PreflightLimits.Exceeded(report, recipe, limits) is { Count: > 0 } faults)
            throw new GateFailedException($"The preflight stops the run before its traces.\n{string.Join('\n', faults)}")
            {
                Remedy = "What was generated is kept; a changed recipe takes what it can use of it.",
            };
        context.Writer.Write(ReportName, Encoding.UTF8.GetBytes(CanonicalJson.Write(CanonicalJson.ToNode(report)) + "\n"));
        return report.Describe();
    }

    // The sample keeps within the budget of the run, of which it is a part.
    private void RequireSome(IReadOnlyList<Trace> traces, int asked, StageContext context)
    {
        string budget = recipe.Traces.MaxCost is null ? "traces.max_tokens_total"
            : recipe.Traces.MaxTokensTotal is null ? "traces.max_cost" : "traces.max_cost or traces.max_tokens_total";
        if (traces.Count == 0)
        {
            throw new GateFailedException(
                "The preflight could not begin a single completion:\n"
                + $"one of teacher.max_tokens = {recipe.Teacher.MaxTokens:N0} does not fit into\n{budget}.")
            {
                Remedy = $"Raise {budget}, or lower teacher.max_tokens.",
            };
        }

        if (traces.Count < asked) context.Note($"preflight: {budget} allows {traces.Count:N0} of {asked:N0} completions");
    }

    private (IReadOnlyList<Trace> Traces, double TokensPerSecond, long Generated) Generate(
        StageContext context, IReadOnlyList<Problem> problems)
    {
        var teacher = context.Input(ExternalInputs.Teacher);
        using var model = ServedModel.Open(
            teacher.Folder, recipe.Teacher.Slots, style: recipe.Prompt.ToTeacherStyle(), engine: recipe.Teacher.Engine,
            device: recipe.Devices.Teacher(recipe).Device);
        using var journal = context.SharedCompletions is { } folder
            ? CompletionJournal.Open(folder, recipe.Teacher.JournalOf(teacher.Digest, recipe.Devices.TeacherKey(recipe))) : null;
        var options = recipe.Teacher.ToCollectionOptions(teacher.Digest) with { Samples = 1 };
        long began = context.Clock.GetTimestamp(), tokens = 0;
        var collection = new TraceCollection(model.Generator, model.Encoder, options, journal, context.Clock);
        var part = collection.Generate(problems, 0, recipe.Traces.ToBudget(), done =>
        {
            tokens = done.CompletionTokens;
            context.Progress(new StageProgress(done.Completions, problems.Count, "completions"));
        }, CancellationToken.None, context.Cancellation);
        return (part.Traces, tokens / Math.Max(1e-9, context.Clock.GetElapsedTime(began).TotalSeconds), tokens);
    }

    private (IReadOnlyList<Trace> Traces, double TokensPerSecond, long Generated) Ask(
        StageContext context, RemoteTeacherSection endpoint, IReadOnlyList<Problem> problems)
    {
        using var client = RemoteTracesStage.Connect(recipe, endpoint, context.Clock);
        var options = recipe.Teacher.ToRemoteOptions(endpoint) with
        {
            Samples = 1, ProblemsPerPart = problems.Count, Examples = recipe.Prompt.ToTeacherStyle().Examples,
            Budget = recipe.Traces.ToBudget(), Prices = endpoint.Prices,
        };
        string kept = context.SharedRequests ?? Path.Combine(context.Folder, RemoteTracesStage.OwnRequests);
        var traces = new List<Trace>();
        double rate = 0;
        long generated = 0;
        // The stage has a thread of its own that nobody else waits for.
        new RemoteTraceCollection(client, options, new CompletionStore(kept), context.Clock).RunAsync(
            problems, _ => false, part => traces.AddRange(part.Traces), progress =>
            {
                (rate, generated) = (progress.TokensPerSecond, progress.TokensGenerated);
                context.Progress(new StageProgress(progress.Traces, progress.TotalTraces, "completions"));
            }, context.Cancellation).GetAwaiter().GetResult();
        return (traces, rate, generated);
    }

    // Times say nothing of the traces and stay out of the artefact.
    private void Tell(StageContext context, PreflightReport report, double tokensPerSecond)
    {
        var time = TimeSpan.FromSeconds(Math.Min(report.RunTokens.High / tokensPerSecond, 1e8));
        context.Measure("tokensPerSecond", tokensPerSecond);
        context.Measure("predictedSeconds", time.TotalSeconds);
        bool isSlow = recipe.Teacher.IsLocal && limits.Problems < recipe.Teacher.Slots;
        string words = time.TotalHours >= 48 ? $"{time.TotalDays:F1} days" : time.TotalMinutes >= 120 ? $"{time.TotalHours:F1} hours"
            : time.TotalMinutes > 1 ? $"{Math.Ceiling(time.TotalMinutes):N0} minutes" : "a minute";
        context.Note($"preflight: at {tokensPerSecond:N0} tokens/s the traces take up to {words}"
            + (isSlow ? "; with all slots busy, less" : ""));
    }
}

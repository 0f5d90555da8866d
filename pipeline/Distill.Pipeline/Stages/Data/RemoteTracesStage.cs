using Distill.Data.Problems;
using Distill.Data.Traces;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Planning;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Recipes.Sections;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Stages.Data.Teachers;
using Distill.Teacher;
using Distill.Teacher.Remote.Calls;
using Distill.Teacher.Remote.Collection;
using Distill.Teacher.Remote.Endpoint;

namespace Distill.Pipeline.Stages.Data;

/// <summary>
/// A teacher at an endpoint solves the training problems. Every completion is kept as it comes, so a kill costs those under way and no
/// more; what any run of the folder has asked before is not asked again.
/// </summary>
internal sealed class RemoteTracesStage(TeacherRole role, RemoteTeacherSection endpoint) : IDividedStage
{
    private readonly DistillationRecipe recipe = role.Recipe;

    /// <summary>Where a run that uses no other's completions keeps its own, in the stage's work folder.</summary>
    internal const string OwnRequests = "requests";

    /// <summary>UTF-8 bytes of the longest problem that any family draws; for predictions.</summary>
    public const int LongestProblem = 512;

    public StageDeclaration Declaration { get; } = new()
    {
        Name = role.Stage,
        Folder = role.Folder,
        Kind = "traces",
        Version = 3,
        Inputs = [ProblemsStage.Train, role.Model],
        Options = StageDeclaration.OptionsOf(
        [
            ("name", role.Teacher.Name), ("teacher", role.Teacher.ToKey(role.Recipe)), ("domains", TeacherRole.KeyOf(role.Teacher)),
            ("examples", PromptSection.KeyOf(role.Recipe.Prompt.ToTeacherStyle().Examples)), .. TraceSampling.KeyOf(role.Recipe),
        ]),
    };

    public string Work
    {
        get
        {
            long requests = role.MostProblems * recipe.Teacher.Samples, completion = requests * recipe.Teacher.MaxTokens;
            long prompt = requests * PromptAtMost;
            completion = Math.Min(completion, recipe.Traces.MaxTokensTotal ?? long.MaxValue);
            decimal cost = endpoint.Prices.CostOf(prompt, completion) * (endpoint.HedgeAfter > 0 ? 2 : 1);
            if (recipe.Traces.MaxCost is { } most) cost = Math.Min(cost, (decimal)most);
            string price = cost > 0 ? $", cost at most {cost:N2} (failed attempts aside)" : "";
            string upTo = recipe.Traces.IsPlain ? "" : "up to ";
            return $"{role.Asked} × {upTo}{recipe.Teacher.Samples} samples = "
                + $"{upTo}{requests:N0} requests to {new Uri(endpoint.Endpoint).Host}, "
                + $"at most {prompt:N0} prompt and {completion:N0} completion tokens{price}; what was asked before is not asked again";
        }
    }

    public StageLoad Load(Foresight earlier)
    {
        var load = TraceLoad.Of(role, earlier, WorkKind.Requests);
        return load with
        {
            Setting = $"{endpoint.Concurrency} at once", Prices = endpoint.Prices, LikelyPrompt = load.LikelyPrompt ?? PromptAtMost / 4.0,
        };
    }

    private long PromptAtMost => LongestProblem + TokenUse.PromptAtMost(endpoint.Instructions)
        + recipe.Prompt.ToTeacherStyle().Examples.Sum(turn => TokenUse.PromptAtMost(turn.Content));

    public IStageWork Begin(StageContext context) => new RemoteTraceWork(context, role, endpoint);

    /// <returns>The caller disposes it.</returns>
    internal static ResilientChatClient Connect(DistillationRecipe recipe, RemoteTeacherSection endpoint, TimeProvider clock) =>
        new(new CompatibleChatClient(endpoint.ToOptions(recipe.Teacher.Model), endpoint.ReadKey(), clock), endpoint.ToCalls(), clock);

    /// <summary>The endpoint is asked for all open parts at once: one slow answer must not hold up the next part.</summary>
    private sealed class RemoteTraceWork : IStageWork
    {
        private readonly StageContext context;
        private readonly DistillationRecipe recipe;
        private readonly RemoteTeacherSection endpoint;
        private readonly ProblemParts problems;
        private readonly RecipeVerifiers verifiers;
        private readonly TraceSampling sampling;
        private readonly RemoteTraceOptions options;
        private readonly WorkTime time;
        private readonly HashSet<int> made = [];
        private readonly Dictionary<int, IReadOnlyList<Problem>> open = [];
        private readonly TraceFiles files;
        private readonly string own;
        private RemoteTeacherConnection? teacher;

        public RemoteTraceWork(StageContext context, TeacherRole role, RemoteTeacherSection endpoint)
        {
            (this.context, recipe, this.endpoint) = (context, role.Recipe, endpoint);
            problems = role.Problems(context);
            verifiers = RecipeVerifiers.Open(context, recipe);
            sampling = new TraceSampling(recipe, verifiers);
            time = new WorkTime(context.Folder, recipe.Traces.TimeLimit, context.Clock);
            options = recipe.Teacher.ToRemoteOptions(endpoint) with
            {
                Examples = recipe.Prompt.ToTeacherStyle().Examples, Policy = sampling.Policy, Budget = sampling.Budget,
                Prices = endpoint.Prices, IsRight = sampling.IsRight,
            };
            files = new TraceFiles(context);
            own = Path.Combine(context.Folder, OwnRequests);
        }

        public int Units => problems.PartCount(options.ProblemsPerPart);

        public bool IsDone(int unit)
        {
            var rows = sampling.Tally is null ? null : new List<Trace>();
            if (!files.TryTake(unit, rows)) return false;
            made.Add(unit);
            sampling.Tally?.Add(problems.Read(unit, options.ProblemsPerPart), rows!);
            return true;
        }

        public void Run(IReadOnlyList<int> units, CancellationToken cancellation)
        {
            if (time.IsOver) return;
            teacher ??= new RemoteTeacherConnection(context, endpoint, options, context.SharedRequests ?? own);
            time.Begin();
            var asked = units.ToHashSet();
            teacher.FetchAsync(units.Order().SelectMany(unit => problems.Read(unit, options.ProblemsPerPart)), cancellation)
                .GetAwaiter().GetResult();
            var collection = teacher.ToCollection();
            // The stage has a thread of its own that nobody else waits for.
            collection.RunAsync(
                new RemoteProblems(problems.Count, Read), part => !asked.Contains(part), Keep,
                progress => context.Progress(new StageProgress(
                    progress.Traces, progress.TotalTraces, "traces", Spent(teacher.Usage), progress.TokensPerSecond, "tokens/s")),
                time.Deadline, cancellation).GetAwaiter().GetResult();
            if (collection.Rejected is { Count: > 0 and var dropped, FirstReason: var reason })
                context.Warning(
                    $"{dropped:N0} of {problems.Count:N0} problems were refused and have no answers, the first because: {reason}");
        }

        public string Finish()
        {
            if (teacher is not null) Report(teacher.Usage);
            context.Worked(new WorkDone(
                files.Rows, files.PromptTokens, files.CompletionTokens, Units: teacher?.Usage.CompletionTokens ?? 0));
            files.WriteCard(recipe.Teacher.Name);
            CountUnmade();
            string result = sampling.Finish(context, time.IsOver)
                ?? $"{problems.Count * recipe.Teacher.Samples:N0} traces of {problems.Count:N0} problems";
            return $"{result}, {files.PromptTokens:N0} prompt and {files.CompletionTokens:N0} completion tokens";
        }

        public void Dispose()
        {
            time.Dispose();
            problems.Dispose();
            verifiers.Dispose();
            teacher?.Dispose();
        }

        // Parts are read in order and end in any; both are told one at a time.
        private IReadOnlyList<Problem> Read(int part) => open[part] = problems.Read(part, options.ProblemsPerPart);

        private void Keep(TracePart part)
        {
            files.Write(part);
            made.Add(part.Index);
            open.Remove(part.Index, out var asked);
            sampling.Tally?.Add(asked!, part.Traces);
            time.Save();
        }

        // Parts that no budget let begin hold problems too.
        private void CountUnmade()
        {
            if (sampling.Tally is null) return;
            for (int unit = 0; unit < Units; unit++)
            {
                if (!made.Contains(unit)) sampling.Tally.Add(problems.Read(unit, options.ProblemsPerPart), []);
            }
        }

        private string Spent(RemoteUsage usage)
        {
            string right = sampling.Detail(), cost = endpoint.Prices.CostOf(usage) is > 0 and var spent ? $"cost {spent:N2}" : "";
            return right.Length > 0 && cost.Length > 0 ? $"{right}, {cost}" : right + cost;
        }

        // What this run asked for; what it found already paid is in the artefact's own sums.
        private void Report(RemoteUsage usage)
        {
            context.Measure("teacherRequests", usage.Requests);
            context.Measure("teacherAttempts", usage.Attempts);
            context.Measure("teacherPromptTokens", usage.PromptTokens);
            context.Measure("teacherCompletionTokens", usage.CompletionTokens);
            context.Measure("teacherReasoningTokens", usage.ReasoningTokens);
            context.Measure("teacherCost", (double)endpoint.Prices.CostOf(usage));
            if (usage.Uncounted > 0)
                context.Warning(
                    $"The endpoint did not count the tokens of {usage.Uncounted:N0} answers: "
                    + "sums and cost lack them, and traces hold an estimate.");
        }
    }
}

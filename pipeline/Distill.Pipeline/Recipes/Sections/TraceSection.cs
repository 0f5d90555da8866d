using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes.Binding;
using Distill.Teacher;
using Distill.Teacher.Remote.Calls;

namespace Distill.Pipeline.Recipes.Sections;

/// <summary><c>traces</c>: where the traces come from, and how many completions are asked for at what price.</summary>
internal sealed record TraceSection : Section
{
    private const string NoTeacher = "existing traces are taken, so nothing is generated";

    [Option("existing traces in place of a teacher's: a run's folder, or a file or folder of traces, ours (raw or graded) or in a format "
        + "that `distill traces import` reads; or a data set of the Hub, `hf://datasets/owner/name@revision`",
        Path = PathUse.Any, Pulls = PulledModel.Traces,
        Default = "none: the teacher writes them", Remedy = "give a run's folder, or a file or folder of traces")]
    public string? From { get; init; }

    [Option("right answers after which a problem is asked no more; `teacher.samples` stays the most that is asked", Minimum = 1,
        Maximum = 256, Default = "none: every problem gets `teacher.samples`")]
    public int? AcceptedPerProblem { get; init; }

    [Option("completions without a right answer after which a problem is given up", Minimum = 1, Maximum = 256, Default = "none")]
    public int? GiveUpAfter { get; init; }

    [Option("from the third completion on, ask only problems of those difficulties (by the share solved so far) that have fewer right "
        + "answers than the others, so that easy problems do not crowd out hard ones")]
    public bool Balance { get; init; }

    [Option("most completion tokens of the whole data set (of each teacher's, where there are `teachers`), what was generated before "
        + "included; reached, the run goes on with what there is",
        Minimum = 1, Maximum = 1e15, Default = "none", Unit = "tokens")]
    public long? MaxTokensTotal { get; init; }

    [Option("most that the completions of the data set (of each teacher's) may cost by the endpoint's prices, what was paid before "
        + "included; reached, the run goes on with what there is", Minimum = 0, Above = true, Maximum = 1e9, Default = "none")]
    public double? MaxCost { get; init; }

    [Option("most time for generating (for each teacher), over all continuations; reached, the run goes on with what there is. The "
        + "data set then depends on the clock, which its manifest says", Minimum = 0, Above = true, Maximum = 10_000, Default = "none",
        Unit = "hours")]
    public double? MaxTime { get; init; }

    [Option("a small sample before the run: limits that stop it with exit code 3, and what the whole run will take", Default = "none")]
    public PreflightSection? Preflight { get; init; }

    internal TimeSpan? TimeLimit => MaxTime is { } hours ? TimeSpan.FromHours(hours) : null;

    /// <summary>Whether everything is asked at once: no verdict and no budget decides.</summary>
    internal bool IsPlain => this is { AcceptedPerProblem: null, GiveUpAfter: null, Balance: false, MaxTokensTotal: null, MaxCost: null,
        MaxTime: null };

    public override IEnumerable<Rule> Rules(Recipe recipe)
    {
        TeacherSection[] teachers = [.. ((DistillationRecipe)recipe).TraceWriters];
        var (fewest, least) = teachers.Select(teacher => teacher.Samples).Index().MinBy(each => each.Item);
        var (longest, most) = teachers.Select(teacher => teacher.MaxTokens).Index().MaxBy(each => each.Item);
        foreach (string name in (string[])[nameof(AcceptedPerProblem), nameof(GiveUpAfter), nameof(Balance), nameof(MaxTokensTotal),
            nameof(MaxCost), nameof(MaxTime), nameof(Preflight)])
            yield return Rule.Unused(From is not null, name, NoTeacher, "leave it out, or leave traces.from out");
        string samples = $"raise {DistillationRecipe.PathOfTeacher(fewest)}.samples ({least}) or lower this";
        yield return Rule.Require(!(AcceptedPerProblem > least), nameof(AcceptedPerProblem), "more than are ever asked", samples);
        yield return Rule.Require(!(GiveUpAfter > least), nameof(GiveUpAfter), "more than are ever asked", samples);
        yield return Rule.Require(!Balance || least > SamplingPolicy.BalancedFrom, nameof(Balance),
            "the first two completions of every problem tell how difficult it is, and no more are asked",
            $"raise {DistillationRecipe.PathOfTeacher(fewest)}.samples, e.g. to 8");
        yield return Rule.Require(!(MaxTokensTotal < most), nameof(MaxTokensTotal), "less than one completion may take",
            $"raise it, or lower {DistillationRecipe.PathOfTeacher(longest)}.max_tokens");
        TokenPrices[] prices = [.. teachers.Select(teacher => teacher.Remote?.Prices).OfType<TokenPrices>()];
        bool isPriced = prices.Length > 0 && prices.All(price => price.CostOf(1_000_000, 1_000_000) > 0);
        yield return Rule.Require(MaxCost is null || isPriced, nameof(MaxCost),
            "completions have no price", "give teacher.prompt_price and teacher.completion_price, or use max_tokens_total");
    }

    internal SamplingPolicy ToPolicy(int samples) =>
        new() { Samples = samples, Accepted = AcceptedPerProblem, GiveUpAfter = GiveUpAfter, IsBalanced = Balance };

    internal SampleBudget ToBudget() => new(MaxTokensTotal, (decimal?)MaxCost);
}

/// <summary><c>traces.preflight</c>: what a small sample must show before a long run begins.</summary>
internal sealed record PreflightSection : Section
{
    [Option("training problems that are asked once each, spread over all of them; their completions are the run's own", Minimum = 8,
        Maximum = 10_000)]
    public int Problems { get; init; } = 32;

    [Option("largest share of completions that reach `teacher.max_tokens`", Minimum = 0, Maximum = 1)]
    public double MaxTruncation { get; init; } = 0.2;

    [Option("smallest share that the verifier finds right", Minimum = 0, Maximum = 1)]
    public double MinCorrect { get; init; } = 0.05;

    [Option("largest share whose answer no verifier can read, truncated and refused ones aside", Minimum = 0, Maximum = 1)]
    public double MaxUndecidable { get; init; } = 0.2;

    [Option("largest share that the teacher or its endpoint refuses", Minimum = 0, Maximum = 1)]
    public double MaxRefusals { get; init; } = 0.1;

    [Option("most that the whole run may cost by prediction; an endpoint's prices", Minimum = 0, Above = true, Maximum = 1e9,
        Default = "none")]
    public double? MaxCost { get; init; }

    public override IEnumerable<Rule> Rules(Recipe recipe) =>
    [
        Rule.Require(MaxCost is null || ((DistillationRecipe)recipe).Teacher.Remote?.Prices.CostOf(1_000_000, 1_000_000) > 0,
            nameof(MaxCost), "completions have no price", "give teacher.prompt_price and teacher.completion_price, or leave it out"),
    ];
}
